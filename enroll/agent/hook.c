#include "enroll/agent/hook.h"

#include "ca/base/clock.h"
#include "enroll/agent/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define POLL_MS 20

static char **inherited;

void hooks_inherit(char **environment)
{
	inherited = environment;
}

/* What the child gets, made before it is forked: between fork and exec only system calls are safe. */
struct surroundings {
	char *own[6];
	size_t n;
	char **all; /* them, and those of this process */
};

static void surroundings_free(struct surroundings *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->own[i]);
	free(s->all);
}

static enum err add(struct surroundings *s, const char *name, const char *value)
{
	if (asprintf(&s->own[s->n], "%s=%s", name, value) < 0)
		return fail(ERR_INTERNAL, "out-of-memory", "a hook");
	s->n++;
	return OK;
}

/* "" for a file that is not there. */
static enum err add_file(struct surroundings *s, const char *name, const char *path)
{
	AUTO(mem_free) char *absolute = NULL;

	if (path != NULL && access(path, F_OK) == 0)
		absolute = realpath(path, NULL);
	return add(s, name, absolute == NULL ? "" : absolute);
}

static bool is_own(const struct surroundings *s, const char *variable)
{
	for (size_t i = 0; i < s->n; i++)
		if (strncmp(s->own[i], variable, strcspn(s->own[i], "=") + 1) == 0)
			return true;
	return false;
}

static enum err add_others(struct surroundings *s)
{
	size_t n = 0, at = 0;

	while (inherited != NULL && inherited[n] != NULL)
		n++;
	s->all = calloc(n + s->n + 1, sizeof(*s->all));
	if (s->all == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "a hook");
	for (size_t i = 0; i < s->n; i++)
		s->all[at++] = s->own[i];
	/* Of two with one name some shells take the last, so there is only one. */
	for (size_t i = 0; i < n; i++)
		if (!is_own(s, inherited[i]))
			s->all[at++] = inherited[i];
	return OK;
}

static enum err describe(
	struct surroundings *s, struct state *state, const struct want *want, const char *host)
{
	AUTO(mem_free) char *leaf = state_file(state, want->template, STATE_LEAF);
	AUTO(mem_free) char *ssh = state_file(state, want->template, STATE_SSH);
	AUTO(mem_free) char *full = state_file(state, want->template, STATE_FULLCHAIN);
	AUTO(mem_free) char *key = state_file(state, want->template, STATE_KEY);
	bool is_ssh = ssh != NULL && access(ssh, F_OK) == 0;

	TRY(add(s, "ENDORSE_TEMPLATE", want->template));
	TRY(add(s, "ENDORSE_HOST", host));
	TRY(add_file(s, "ENDORSE_CERTIFICATE", is_ssh ? ssh : leaf));
	TRY(add_file(s, "ENDORSE_FULLCHAIN", is_ssh ? NULL : full));
	TRY(add_file(s, "ENDORSE_CHAIN", state_path(state, STATE_CHAIN)));
	TRY(add_file(s, "ENDORSE_KEY",
		want->key == WANT_FILE ? want->file
		: want->key == WANT_AK ? state_path(state, STATE_AK_KEY)
				       : key));
	return add_others(s);
}

static void become(char *const argv[], const struct surroundings *s)
{
	sigset_t none;
	int empty = open("/dev/null", O_RDONLY | O_CLOEXEC);

	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (empty >= 0)
		dup2(empty, STDIN_FILENO);
	/* What a library opened without O_CLOEXEC: a server that the command starts would keep it. */
	close_range(STDERR_FILENO + 1, ~0U, 0);
	if (chdir("/") == 0)
		execve("/bin/sh", argv, s->all);
	_exit(127);
}

/* What it had to be killed for; NULL when it ended by itself. */
static const char *reap(pid_t child, int *status)
{
	int64_t deadline = clock_ms() + INT64_C(1000) * HOOK_SECONDS;
	pid_t ended;

	while ((ended = waitpid(child, status, WNOHANG)) == 0) {
		if (clock_ms() < deadline && !interrupt_pending()) {
			usleep(POLL_MS * 1000);
			continue;
		}
		kill(-child, SIGKILL);
		kill(child, SIGKILL);
		waitpid(child, status, 0);
		return clock_ms() < deadline ? "endorse was interrupted" : "it took too long";
	}
	return ended == child ? NULL : strerror(errno);
}

static bool succeeds(const struct want *want, const struct surroundings *s)
{
	AUTO(mem_free) char *command = strdup(want->command);
	char name[] = "sh", option[] = "-c", *argv[] = {name, option, command, NULL};
	const char *killed = NULL;
	int status = 0;
	pid_t child = command == NULL ? -1 : fork();

	if (child == 0)
		become(argv, s);
	/* Whoever comes first makes the group, so that it is there when it is to be killed. */
	if (child > 0)
		setpgid(child, child);
	if (child < 0)
		fprintf(stderr, "endorse: %s: \"%s\" could not be started: %s\n", want->template,
			want->command, strerror(errno));
	else if ((killed = reap(child, &status)) != NULL)
		fprintf(stderr, "endorse: %s: \"%s\" was stopped: %s (at most %d s)\n",
			want->template, want->command, killed, HOOK_SECONDS);
	else if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	else if (WIFEXITED(status))
		fprintf(stderr, "endorse: %s: \"%s\" ended with status %d\n", want->template,
			want->command, WEXITSTATUS(status));
	else
		fprintf(stderr, "endorse: %s: \"%s\" was ended by signal %d\n", want->template,
			want->command, WTERMSIG(status));
	return false;
}

static enum err run(struct state *state, struct wanted *wanted, struct want *want, const char *host,
	size_t *failed)
{
	AUTO(surroundings_free) struct surroundings surroundings = {.n = 0};

	TRY(describe(&surroundings, state, want, host));
	fflush(stdout);
	if (!succeeds(want, &surroundings)) {
		(*failed)++;
		return OK;
	}
	want->is_hook_due = false;
	return state_keep(state, wanted);
}

enum err hooks_run(struct state *state, struct wanted *wanted, const char *host)
{
	size_t failed = 0;

	for (size_t i = 0; i < wanted->n; i++)
		if (wanted->items[i].is_hook_due)
			TRY(run(state, wanted, &wanted->items[i], host, &failed));
	if (failed == 0)
		return OK;
	return fail(ERR_INTERNAL, "hook",
		"%zu of the commands that take over new certificates failed; the certificates are "
		"installed, and endorse renew runs the commands again",
		failed);
}
