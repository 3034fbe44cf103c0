#include "enroll/agent/state.h"

#include "ca/base/file.h"
#include "maker.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int setup(void **state)
{
	*state = made_directory();
	return 0;
}

static int teardown(void **state)
{
	directory_remove(*state);
	free(*state);
	return 0;
}

static void a_missing_directory_is_made_for_its_owner_only(void **state)
{
	AUTO(state_close) struct state *opened = NULL;
	struct stat st;

	assert_int_equal(0, rmdir(*state));
	assert_int_equal(OK, state_open(*state, &opened));
	assert_int_equal(0, stat(*state, &st));
	assert_int_equal(0700, st.st_mode & 07777);
}

static void a_second_writer_is_refused_until_the_first_is_done(void **state)
{
	AUTO(state_close) struct state *first = NULL;
	AUTO(state_close) struct state *second = NULL;
	AUTO(state_close) struct state *reader = NULL;

	assert_int_equal(OK, state_open(*state, &first));
	assert_int_equal(ERR_CONFLICT, state_open(*state, &second));
	assert_string_equal("state-busy", why()->code);
	assert_int_equal(OK, state_open_readonly(*state, &reader));
	state_close(&first);
	assert_int_equal(OK, state_open(*state, &second));
}

static void a_directory_where_others_may_write_is_refused(void **state)
{
	AUTO(state_close) struct state *opened = NULL;

	assert_int_equal(0, chmod(*state, 0770));
	assert_int_equal(ERR_INTERNAL, state_open(*state, &opened));
	assert_string_equal("state-dir", why()->code);
	assert_int_equal(ERR_INTERNAL, state_open_readonly(*state, &opened));
	assert_null(opened);
}

/* `certificates` has commands for root, anchors.pem whom to trust; a link leads to what somebody else may own. */
static void a_file_that_others_may_write_is_refused(void **state)
{
	static const char *const names[] = {STATE_CERTIFICATES, STATE_ANCHORS, STATE_ENROLLMENT};

	for (size_t i = 0; i < COUNT(names); i++) {
		AUTO(state_close) struct state *opened = NULL;
		AUTO(mem_free) char *path = path_join(*state, names[i]);
		AUTO(mem_free) char *other = path_join(*state, "other");

		file_put(*state, "other", "x");
		assert_int_equal(0, chmod(other, 0664));
		assert_int_equal(0, symlink(other, path));
		assert_int_equal(ERR_INTERNAL, state_open(*state, &opened));
		assert_string_equal("state-file", why()->code);
		assert_int_equal(ERR_INTERNAL, state_open_readonly(*state, &opened));
		assert_int_equal(0, chmod(other, 0644));
		assert_int_equal(OK, state_open(*state, &opened));
		state_close(&opened);
		assert_int_equal(0, unlink(path));
		assert_int_equal(0, rename(other, path));
		assert_int_equal(0, chown(path, 65534, (gid_t)-1));
		assert_int_equal(ERR_INTERNAL, state_open(*state, &opened));
		assert_string_equal("state-file", why()->code);
		assert_int_equal(0, unlink(path));
	}
}

static void looking_makes_nothing(void **state)
{
	AUTO(state_close) struct state *opened = NULL;

	assert_int_equal(0, rmdir(*state));
	assert_int_equal(ERR_NOT_FOUND, state_open_readonly(*state, &opened));
	assert_int_not_equal(0, access(*state, F_OK));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_missing_directory_is_made_for_its_owner_only, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_second_writer_is_refused_until_the_first_is_done, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_directory_where_others_may_write_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_file_that_others_may_write_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(looking_makes_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
