/* test_hook_limit.c - commands that do not end: one interrupted, one for as long as they may take. */
#include "enroll/agent/hook.h"

#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "enroll/agent/interrupt.h"
#include "maker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SLACK_MS 30000 /* for a loaded machine */

struct fixture {
	char *dir;
	struct state *state;
	struct wanted wanted;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->dir = made_directory();
	assert_int_equal(OK, state_open(f->dir, &f->state));
	assert_int_equal(OK, wanted_add(&f->wanted, "ak"));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	state_close(&f->state);
	directory_remove(f->dir);
	free(f->dir);
	free(f);
	return 0;
}

/* Gone, or dead and not yet collected by whoever inherited it. */
static bool is_over(pid_t process)
{
	AUTO(buf_free) struct buf status = BUF(8192);
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)process);
	return file_read(path, &status) != OK || strstr(buf_text(&status), "State:\tZ") != NULL;
}

/* Of the process that the command left in the background. */
static void is_killed(const struct fixture *f)
{
	AUTO(mem_free) char *path = path_join(f->dir, "process");
	AUTO(buf_free) struct buf text = BUF(64);
	int64_t deadline = clock_ms() + SLACK_MS;
	pid_t process;

	assert_int_equal(OK, file_read(path, &text));
	process = (pid_t)strtol(buf_text(&text), NULL, 10);
	assert_true(process > 1);
	while (!is_over(process) && clock_ms() < deadline)
		nanosleep(&(struct timespec){0, 10000000}, NULL);
	assert_true(is_over(process));
}

/* Runs what never ends after `first`; how long it took, in milliseconds. */
static int64_t run_for_ever(struct fixture *f, const char *first)
{
	int64_t begun = clock_ms();
	struct want *want = &f->wanted.items[0];

	snprintf(want->command, sizeof(want->command), "sleep 1000 & echo $! >%s/process; %s; wait",
		f->dir, first);
	want->is_hook_due = true;
	assert_int_equal(ERR_INTERNAL, hooks_run(f->state, &f->wanted, HOST));
	assert_string_equal("hook", why()->code);
	assert_true(want->is_hook_due);
	return clock_ms() - begun;
}

static void a_command_ends_with_whoever_is_interrupted(void **state)
{
	struct fixture *f = *state;
	sigset_t term;
	int number = 0;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	interrupt_hold();
	assert_true(run_for_ever(f, "kill -TERM $PPID") < SLACK_MS);
	assert_int_equal(0, sigwait(&term, &number));
	interrupt_release();
	is_killed(f);
}

static void a_command_that_does_not_end_is_killed_with_all_that_it_started(void **state)
{
	int64_t took = run_for_ever(*state, ":");

	assert_in_range(took, HOOK_SECONDS * 1000 - 1000, HOOK_SECONDS * 1000 + SLACK_MS);
	is_killed(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_command_ends_with_whoever_is_interrupted, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_command_that_does_not_end_is_killed_with_all_that_it_started, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
