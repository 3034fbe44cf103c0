#include "enroll/agent/hook.h"

#include "ca/base/file.h"
#include "maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
	assert_int_equal(OK, wanted_add(&f->wanted, "tls-server"));
	file_put(f->dir, "tls-server.pem", "leaf");
	file_put(f->dir, "tls-server.fullchain.pem", "all");
	file_put(f->dir, "tls-server.tss2.pem", "key");
	file_put(f->dir, STATE_CHAIN, "chain");
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

static void command_is(struct fixture *f, size_t i, const char *command)
{
	snprintf(f->wanted.items[i].command, sizeof(f->wanted.items[i].command), "%s", command);
	f->wanted.items[i].is_hook_due = true;
}

/* What the command wrote into DIR/out. */
static void out_is(const struct fixture *f, const char *wanted)
{
	AUTO(mem_free) char *path = path_join(f->dir, "out");
	AUTO(buf_free) struct buf text = BUF(8192);

	assert_int_equal(OK, file_read(path, &text));
	assert_string_equal(wanted, buf_text(&text));
}

static void a_command_is_told_what_was_replaced(void **state)
{
	struct fixture *f = *state;
	char command[512], wanted[1024];

	snprintf(command, sizeof(command),
		"cd && pwd >/dev/null; printf '%%s|' \"$ENDORSE_TEMPLATE\" \"$ENDORSE_HOST\" "
		"\"$ENDORSE_CERTIFICATE\" \"$ENDORSE_FULLCHAIN\" \"$ENDORSE_KEY\" "
		"\"$ENDORSE_CHAIN\" \"$(cat)\" >%s/out",
		f->dir);
	command_is(f, 1, command);
	assert_int_equal(OK, hooks_run(f->state, &f->wanted, HOST));
	snprintf(wanted, sizeof(wanted),
		"tls-server|" HOST "|%s/tls-server.pem|%s/tls-server.fullchain.pem|%s/"
		"tls-server.tss2.pem|%s/chain.pem||",
		f->dir, f->dir, f->dir, f->dir);
	out_is(f, wanted);
}

static void for_openssh_there_is_no_chain_of_its_own(void **state)
{
	struct fixture *f = *state;
	char command[256], wanted[512];

	file_put(f->dir, "tls-server-cert.pub", "ssh");
	snprintf(command, sizeof(command),
		"printf '%%s|%%s' \"$ENDORSE_CERTIFICATE\" \"$ENDORSE_FULLCHAIN\" >%s/out", f->dir);
	command_is(f, 1, command);
	assert_int_equal(OK, hooks_run(f->state, &f->wanted, HOST));
	snprintf(wanted, sizeof(wanted), "%s/tls-server-cert.pub|", f->dir);
	out_is(f, wanted);
}

static void one_that_fails_is_due_again_until_it_succeeds(void **state)
{
	struct fixture *f = *state;
	struct wanted kept;
	char command[256];

	command_is(f, 0, "exit 3");
	snprintf(command, sizeof(command), "echo more >>%s/out", f->dir);
	command_is(f, 1, command);
	assert_int_equal(ERR_INTERNAL, hooks_run(f->state, &f->wanted, HOST));
	assert_string_equal("hook", why()->code);
	assert_int_equal(OK, state_wanted(f->state, &kept));
	assert_true(kept.items[0].is_hook_due);
	assert_false(kept.items[1].is_hook_due);
	/* The one that succeeded does not run again. */
	assert_int_equal(ERR_INTERNAL, hooks_run(f->state, &kept, HOST));
	out_is(f, "more\n");
	snprintf(kept.items[0].command, sizeof(kept.items[0].command), "true");
	assert_int_equal(OK, hooks_run(f->state, &kept, HOST));
	assert_int_equal(OK, state_wanted(f->state, &kept));
	assert_false(kept.items[0].is_hook_due);
}

/* dash takes the last of two variables of one name. */
static void what_is_in_the_environment_does_not_stand_in_for_ours(void **state)
{
	static char key[] = "ENDORSE_KEY=/etc/passwd", longer[] = "ENDORSE_KEYS=kept";
	static char *environment[] = {key, longer, NULL};
	struct fixture *f = *state;
	char command[256], wanted[256];

	snprintf(command, sizeof(command),
		"printf '%%s|' \"$ENDORSE_KEY\" \"$ENDORSE_KEYS\" >%s/out", f->dir);
	command_is(f, 1, command);
	hooks_inherit(environment);
	assert_int_equal(OK, hooks_run(f->state, &f->wanted, HOST));
	hooks_inherit(NULL);
	snprintf(wanted, sizeof(wanted), "%s/tls-server.tss2.pem|kept|", f->dir);
	out_is(f, wanted);
}

static void a_command_inherits_no_open_file(void **state)
{
	struct fixture *f = *state;
	int open_here = dup(STDERR_FILENO);
	char command[256];

	assert_true(open_here > STDERR_FILENO);
	snprintf(command, sizeof(command),
		"test -e /proc/$$/fd/%d && echo open >%s/out; echo closed >>%s/out", open_here,
		f->dir, f->dir);
	command_is(f, 1, command);
	assert_int_equal(OK, hooks_run(f->state, &f->wanted, HOST));
	close(open_here);
	out_is(f, "closed\n");
}

static void a_signal_and_a_missing_program_are_failures(void **state)
{
	struct fixture *f = *state;

	command_is(f, 0, "kill -9 $$");
	assert_int_equal(ERR_INTERNAL, hooks_run(f->state, &f->wanted, HOST));
	command_is(f, 0, "/nonexistent/program");
	assert_int_equal(ERR_INTERNAL, hooks_run(f->state, &f->wanted, HOST));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_command_is_told_what_was_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(
			for_openssh_there_is_no_chain_of_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(
			one_that_fails_is_due_again_until_it_succeeds, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_in_the_environment_does_not_stand_in_for_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(a_command_inherits_no_open_file, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_signal_and_a_missing_program_are_failures, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
