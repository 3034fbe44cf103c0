#include "tests/bench/endorse-bench/process_stat.h"

#include "ca/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)

/* The whole of a small file of /proc, with a NUL; false when it is not there. */
static bool read_all(pid_t pid, const char *name, char *text, size_t room)
{
	char path[64];
	AUTO(fd_close) int fd = -1;
	size_t n = 0;
	ssize_t got = 1;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	while (n < room - 1 && (got = read(fd, text + n, room - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	return got >= 0 && n > 0;
}

/* The clock of the whole process: exact, where /proc rounds to ticks. */
static bool read_clock(pid_t pid, uint64_t *ns)
{
	clockid_t clock;
	struct timespec t;

	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
		return false;
	*ns = (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
	return true;
}

/* Fields of proc(5)'s stat by their numbers there; a name may hold blanks and parentheses. */
static bool read_fields(const char *text, uint64_t *field, size_t n)
{
	const char *p = strrchr(text, ')');

	if (p == NULL || p[1] != ' ' || p[2] == '\0')
		return false;
	p += 3; /* behind the state, which is the third */
	for (size_t i = 4; i < n; i++) {
		char *end;

		field[i] = strtoull(p, &end, 10);
		if (end == p)
			return false;
		p = end;
	}
	return true;
}

bool process_stat(pid_t pid, struct process_stat *out)
{
	enum { PARENT = 4, CHILDREN_USER = 16, CHILDREN_SYSTEM = 17, STARTED = 22, FIELDS };
	char text[1024];
	uint64_t field[FIELDS] = {0};
	uint64_t tick = SECOND_NS / (uint64_t)sysconf(_SC_CLK_TCK);

	*out = (struct process_stat){.pid = pid};
	if (!read_all(pid, "stat", text, sizeof(text)) || !read_fields(text, field, FIELDS))
		return false;
	out->parent = (pid_t)field[PARENT];
	out->started = field[STARTED];
	out->children_ns = (field[CHILDREN_USER] + field[CHILDREN_SYSTEM]) * tick;
	return read_clock(pid, &out->cpu_ns);
}

/* "VmRSS:	  5120 kB" */
static uint64_t kib_of(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line == NULL ? 0 : strtoull(line + strlen(name), NULL, 10);
}

void process_memory(pid_t pid, struct process_memory *out)
{
	char text[8192];

	*out = (struct process_memory){0};
	if (read_all(pid, "status", text, sizeof(text))) {
		out->rss_kib = kib_of(text, "\nVmRSS:");
		out->peak_kib = kib_of(text, "\nVmHWM:");
	}
	if (read_all(pid, "smaps_rollup", text, sizeof(text)))
		out->pss_kib = kib_of(text, "\nPss:");
}

static void dir_close(DIR **dir)
{
	if (*dir != NULL)
		closedir(*dir);
	*dir = NULL;
}

static bool make_room(struct process_stat **list, size_t n, size_t *room)
{
	struct process_stat *more;

	if (n < *room)
		return true;
	more = realloc(*list, 2 * (*room + 64) * sizeof(**list));
	if (more == NULL)
		return false;
	*list = more;
	*room = 2 * (*room + 64);
	return true;
}

enum err process_list(struct process_stat **out, size_t *n)
{
	AUTO(dir_close) DIR *dir = opendir("/proc");
	AUTO(mem_free) struct process_stat *list = NULL;
	const struct dirent *entry;
	size_t room = 0, used = 0;

	if (dir == NULL)
		return fail(ERR_INTERNAL, "usage-proc", "/proc: %s", strerror(errno));
	while ((entry = readdir(dir)) != NULL) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);

		if (*end != '\0' || pid <= 0)
			continue;
		if (!make_room(&list, used, &room))
			return fail(ERR_INTERNAL, "out-of-memory", "process_list");
		if (process_stat((pid_t)pid, &list[used]))
			used++;
	}
	if (used == 0)
		return fail(ERR_INTERNAL, "usage-proc", "/proc tells of no process");
	*n = used;
	*out = MOVE(list);
	return OK;
}
