#include "enroll/agent/state.h"

#include "ca/base/file.h"
#include "enroll/agent/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const names[] = {STATE_AK_KEY, STATE_AK_KEY_NEW, STATE_AK_PUBLIC, STATE_AK_CERT,
	STATE_CHAIN, STATE_ANCHORS, STATE_SSH_HOST_CA, STATE_SSH_USER_CA, STATE_CERTIFICATES,
	STATE_ENROLLMENT};

struct state {
	char *dir;
	char *paths[COUNT(names)];
	int fd; /* of the directory; holds the lock */
};

void state_close(struct state **state)
{
	if (*state == NULL)
		return;
	fd_close(&(*state)->fd);
	for (size_t i = 0; i < COUNT(names); i++)
		free((*state)->paths[i]);
	free((*state)->dir);
	free(*state);
	*state = NULL;
}

static enum err make_state(const char *dir, struct state **out)
{
	AUTO(state_close) struct state *state = calloc(1, sizeof(*state));

	if (state == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "state_open");
	state->fd = -1;
	if ((state->dir = strdup(dir)) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "state_open");
	for (size_t i = 0; i < COUNT(names); i++)
		if ((state->paths[i] = path_join(dir, names[i])) == NULL)
			return fail(ERR_INTERNAL, "out-of-memory", "state_open");
	*out = MOVE(state);
	return OK;
}

static enum err open_dir(struct state *state)
{
	struct stat st;

	state->fd = open(state->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state->fd < 0 && errno == ENOENT)
		return fail(ERR_NOT_FOUND, "state-missing",
			"%s: there is no such directory; endorse enroll makes it", state->dir);
	if (state->fd < 0 || fstat(state->fd, &st) != 0)
		return fail(ERR_INTERNAL, "state-dir", "%s: %s", state->dir, strerror(errno));
	if ((st.st_mode & 0022) != 0 || (st.st_uid != geteuid() && st.st_uid != 0))
		return fail(ERR_INTERNAL, "state-dir",
			"%s: others may write there (mode %04o), and could put their anchors in; "
			"chmod 0700 it",
			state->dir, (unsigned)(st.st_mode & 07777));
	return OK;
}

/*
 * Whoever may write one of them has this machine trust his anchors, or run his commands as root. What is read is what the
 * name leads to; the directory itself is nobody else's.
 */
static enum err check_file(const struct state *state, const char *name)
{
	struct stat st;

	if (fstatat(state->fd, name, &st, 0) != 0)
		return OK;
	if ((st.st_mode & 0022) == 0 && (st.st_uid == geteuid() || st.st_uid == 0))
		return OK;
	return fail(ERR_INTERNAL, "state-file",
		"%s/%s: others may write to it (mode %04o, owner %u), and this machine trusts what "
		"it says; look at what is in it, then chown and chmod go-w it",
		state->dir, name, (unsigned)(st.st_mode & 07777), (unsigned)st.st_uid);
}

static enum err check_files(const struct state *state)
{
	for (size_t i = 0; i < COUNT(names); i++)
		TRY(check_file(state, names[i]));
	return OK;
}

static enum err lock(struct state *state)
{
	if (flock(state->fd, LOCK_EX | LOCK_NB) == 0)
		return OK;
	if (errno == EWOULDBLOCK)
		return fail(ERR_CONFLICT, "state-busy",
			"%s: another endorse is at work there; wait until it is done", state->dir);
	return fail(ERR_INTERNAL, "state-dir", "%s: %s", state->dir, strerror(errno));
}

enum err state_open(const char *dir, struct state **out)
{
	AUTO(state_close) struct state *state = NULL;

	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return fail(ERR_INTERNAL, "state-dir", "%s: %s", dir, strerror(errno));
	TRY(make_state(dir, &state));
	TRY(open_dir(state));
	TRY(check_files(state));
	TRY(lock(state));
	*out = MOVE(state);
	return OK;
}

enum err state_open_readonly(const char *dir, struct state **out)
{
	AUTO(state_close) struct state *state = NULL;

	TRY(make_state(dir, &state));
	TRY(open_dir(state));
	TRY(check_files(state));
	*out = MOVE(state);
	return OK;
}

const char *state_dir(const struct state *state)
{
	return state->dir;
}

const char *state_path(struct state *state, const char *name)
{
	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(names[i], name) == 0)
			return state->paths[i];
	return NULL;
}

enum err state_write(struct state *state, const char *name, mode_t mode, struct view bytes)
{
	return file_replace(state_path(state, name), mode, bytes);
}

enum err state_enrollment(struct state *state, struct enrollment *out)
{
	AUTO(buf_free) struct buf text = BUF(ENROLLMENT_MAX);

	TRY(file_read(state_path(state, STATE_ENROLLMENT), &text));
	return enrollment_parse(buf_view(&text), out);
}

char *state_file(const struct state *state, const char *template, const char *part)
{
	char *path = NULL;

	/* What made the name looked at it; nothing else may come to be a path. */
	if (!want_is_name(template) || asprintf(&path, "%s/%s%s", state->dir, template, part) < 0)
		return NULL;
	return path;
}

enum err state_wanted(struct state *state, struct wanted *out)
{
	AUTO(buf_free) struct buf text = BUF(KEPT_MAX);
	enum err err = file_read(state_path(state, STATE_CERTIFICATES), &text);

	if (err == ERR_NOT_FOUND) {
		*out = (struct wanted){.n = 0};
		return wanted_add(out, "ak");
	}
	TRY(err);
	return kept_parse(buf_view(&text), out);
}

enum err state_keep(struct state *state, const struct wanted *wanted)
{
	AUTO(buf_free) struct buf text = BUF(KEPT_MAX);

	TRY(kept_encode(wanted, &text));
	return state_write(state, STATE_CERTIFICATES, 0644, buf_view(&text));
}
