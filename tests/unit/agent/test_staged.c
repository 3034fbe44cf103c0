#include "enroll/agent/staged.h"

#include "ca/base/file.h"
#include "maker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static void content_is(const char *dir, const char *name, const char *wanted)
{
	AUTO(mem_free) char *path = path_join(dir, name);
	AUTO(buf_free) struct buf bytes = BUF(64);

	if (wanted == NULL) {
		assert_int_not_equal(0, access(path, F_OK));
		return;
	}
	assert_int_equal(OK, file_read(path, &bytes));
	assert_string_equal(wanted, buf_text(&bytes));
}

static void add(struct staged *staged, const char *dir, const char *name, const char *bytes)
{
	AUTO(mem_free) char *path = path_join(dir, name);

	assert_int_equal(OK, staged_add(staged, path, 0640, view_str(bytes)));
}

static void files_come_all_at_once(void **state)
{
	AUTO(staged_free) struct staged staged = {.n = 0};
	AUTO(mem_free) char *path = path_join(*state, "b");
	struct stat st;

	file_put(*state, "a", "old");
	add(&staged, *state, "a", "new");
	add(&staged, *state, "b", "other");
	content_is(*state, "a", "old");
	content_is(*state, "b", NULL);
	assert_int_equal(OK, staged_commit(&staged));
	content_is(*state, "a", "new");
	content_is(*state, "b", "other");
	assert_int_equal(0, stat(path, &st));
	assert_int_equal(0640, st.st_mode & 07777);
}

static void what_is_not_put_in_place_leaves_nothing(void **state)
{
	struct staged staged = {.n = 0};
	AUTO(mem_free) char *nowhere = path_join(*state, "missing/file");

	file_put(*state, "a", "old");
	add(&staged, *state, "a", "new");
	assert_int_equal(ERR_INTERNAL, staged_add(&staged, nowhere, 0600, view_str("x")));
	assert_string_equal("file-write", why()->code);
	staged_free(&staged);
	content_is(*state, "a", "old");
	content_is(*state, "a.staged", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(files_come_all_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_not_put_in_place_leaves_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
