#include "tests/bench/endorse-bench/usage.h"

#include "ca/base/mem.h"
#include "tests/bench/endorse-bench/process_stat.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROOTS 64 /* processes that are named, in all groups */

/* A process that was seen to belong to a group; it does so as long as it lives. */
struct member {
	struct process_stat was; /* when it was seen last */
	size_t group;
	bool is_root;
	bool is_there; /* at this take */
};

struct usage {
	struct usage_figures
		groups[USAGE_GROUPS]; /* cpu_ns: of those who ended and whom nobody waited for */
	uint64_t told_ns[USAGE_GROUPS]; /* at the last take */
	size_t groups_n;
	struct member *members;
	size_t members_n, members_room;
};

enum err usage_make(struct usage **out)
{
	struct usage *usage = calloc(1, sizeof(*usage));

	if (usage == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "usage_make");
	*out = usage;
	return OK;
}

void usage_free(struct usage **usage)
{
	if (*usage != NULL)
		free((*usage)->members);
	free(*usage);
	*usage = NULL;
}

static enum err add_member(struct usage *usage, const struct member *member)
{
	if (usage->members_n == usage->members_room) {
		size_t room = 2 * usage->members_room + 64;
		struct member *more = realloc(usage->members, room * sizeof(*more));

		if (more == NULL)
			return fail(ERR_INTERNAL, "out-of-memory", "usage");
		usage->members = more;
		usage->members_room = room;
	}
	usage->members[usage->members_n++] = *member;
	return OK;
}

static struct member *member_of(struct usage *usage, pid_t pid)
{
	for (size_t i = 0; i < usage->members_n; i++)
		if (usage->members[i].was.pid == pid)
			return &usage->members[i];
	return NULL;
}

static enum err add_group(struct usage *usage, const char *name, size_t n)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

	if (n == 0 || n >= USAGE_NAME || strspn(name, letters) < n)
		return fail(ERR_MALFORMED, "usage-watch",
			"\"%.40s\": a name has lower-case letters, digits and \"-\", at most %d",
			name, USAGE_NAME - 1);
	if (usage->groups_n == USAGE_GROUPS)
		return fail(ERR_TOO_LARGE, "too-large", "more than %d groups of processes",
			USAGE_GROUPS);
	for (size_t i = 0; i < usage->groups_n; i++)
		if (strncmp(usage->groups[i].name, name, n) == 0 &&
			usage->groups[i].name[n] == '\0')
			return fail(ERR_MALFORMED, "usage-watch", "\"%.*s\" twice", (int)n, name);
	memcpy(usage->groups[usage->groups_n++].name, name, n);
	return OK;
}

static enum err add_root(struct usage *usage, pid_t pid)
{
	struct member member = {.group = usage->groups_n - 1, .is_root = true};
	size_t roots = 0;

	for (size_t i = 0; i < usage->members_n; i++)
		roots += usage->members[i].is_root;
	if (roots == ROOTS)
		return fail(ERR_TOO_LARGE, "too-large", "more than %d processes are named", ROOTS);
	if (!process_stat(pid, &member.was))
		return fail(ERR_NOT_FOUND, "usage-process", "there is no process %d", (int)pid);
	return add_member(usage, &member);
}

static enum err add_roots(struct usage *usage, const char *spec, const char *pids)
{
	for (const char *p = pids;; p++) {
		char *end;
		long pid = strtol(p, &end, 10);

		if (end == p || pid <= 0 || pid > INT32_MAX || (*end != ',' && *end != '\0'))
			return fail(ERR_MALFORMED, "usage-watch",
				"\"%.60s\": it is NAME=PID, or NAME=PID,PID", spec);
		TRY(add_root(usage, (pid_t)pid));
		if (*end == '\0')
			return OK;
		p = end;
	}
}

enum err usage_watch(struct usage *usage, const char *spec)
{
	const char *equals = strchr(spec, '=');

	if (equals == NULL)
		return fail(ERR_MALFORMED, "usage-watch",
			"\"%.60s\": it is NAME=PID, or NAME=PID,PID", spec);
	TRY(add_group(usage, spec, (size_t)(equals - spec)));
	return add_roots(usage, spec, equals + 1);
}

/* A pid may have gone to somebody else meanwhile. */
static void see_known(struct usage *usage, const struct process_stat *list, size_t n)
{
	for (size_t i = 0; i < usage->members_n; i++)
		usage->members[i].is_there = false;
	for (size_t i = 0; i < n; i++) {
		struct member *member = member_of(usage, list[i].pid);

		if (member == NULL || member->was.started != list[i].started)
			continue;
		member->was = list[i];
		member->is_there = true;
	}
}

/* Parents may come behind their children in the list: as often as somebody is found. */
static enum err see_children(struct usage *usage, const struct process_stat *list, size_t n)
{
	bool found = true;

	while (found) {
		found = false;
		for (size_t i = 0; i < n; i++) {
			const struct member *parent = member_of(usage, list[i].parent);
			struct member child = {.was = list[i], .is_there = true};

			if (parent == NULL || !parent->is_there ||
				member_of(usage, list[i].pid) != NULL)
				continue;
			child.group = parent->group;
			TRY(add_member(usage, &child));
			found = true;
		}
	}
	return OK;
}

/*
 * Who ended as the child of a member was waited for by it, and is in its figures. Of another one, a
 * daemon's first child, what was seen last is all that will ever be known.
 */
static enum err forget_gone(struct usage *usage)
{
	size_t kept = 0;

	for (size_t i = 0; i < usage->members_n; i++) {
		const struct member *member = &usage->members[i];

		if (!member->is_there && member->is_root)
			return fail(ERR_NOT_FOUND, "usage-process",
				"process %d of \"%s\" has ended", (int)member->was.pid,
				usage->groups[member->group].name);
		if (!member->is_there && member_of(usage, member->was.parent) == NULL)
			usage->groups[member->group].cpu_ns +=
				member->was.cpu_ns + member->was.children_ns;
	}
	for (size_t i = 0; i < usage->members_n; i++)
		if (usage->members[i].is_there)
			usage->members[kept++] = usage->members[i];
	usage->members_n = kept;
	return OK;
}

static void add_up(const struct usage *usage, struct usage_taken *out)
{
	for (size_t i = 0; i < usage->members_n; i++) {
		const struct member *member = &usage->members[i];
		struct usage_figures *group = &out->groups[member->group];
		struct process_memory memory;

		process_memory(member->was.pid, &memory);
		group->cpu_ns += member->was.cpu_ns + member->was.children_ns;
		group->rss_kib += memory.rss_kib;
		group->pss_kib += memory.pss_kib;
		group->peak_kib += memory.peak_kib;
		group->processes++;
	}
}

/*
 * CPU time never becomes less. It seems to when a child is waited for, which counted nanoseconds before and whole
 * ticks of its parent's then.
 */
static void make_up(struct usage *usage, struct usage_taken *out)
{
	for (size_t i = 0; i < usage->groups_n; i++) {
		uint64_t *now = &out->groups[i].cpu_ns;

		if (*now < usage->told_ns[i]) {
			usage->groups[i].cpu_ns += usage->told_ns[i] - *now;
			*now = usage->told_ns[i];
		}
		usage->told_ns[i] = *now;
	}
}

enum err usage_take(struct usage *usage, struct usage_taken *out)
{
	AUTO(mem_free) struct process_stat *list = NULL;
	struct timespec t;
	size_t n;

	TRY(process_list(&list, &n));
	clock_gettime(CLOCK_MONOTONIC, &t);
	see_known(usage, list, n);
	TRY(forget_gone(usage));
	TRY(see_children(usage, list, n));
	*out = (struct usage_taken){.groups_n = usage->groups_n,
		.at_ns = (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec};
	memcpy(out->groups, usage->groups, sizeof(out->groups));
	add_up(usage, out);
	make_up(usage, out);
	return OK;
}

void usage_since(
	const struct usage_taken *before, const struct usage_taken *after, struct usage_taken *out)
{
	struct usage_taken since = *after;

	since.at_ns = after->at_ns - before->at_ns;
	for (size_t i = 0; i < since.groups_n; i++)
		since.groups[i].cpu_ns -= before->groups[i].cpu_ns;
	*out = since;
}

const struct usage_figures *usage_named(const struct usage_taken *taken, const char *name)
{
	for (size_t i = 0; i < taken->groups_n; i++)
		if (strcmp(taken->groups[i].name, name) == 0)
			return &taken->groups[i];
	return NULL;
}
