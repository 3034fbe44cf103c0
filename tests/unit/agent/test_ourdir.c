#include "enroll/agent/ourdir.h"

#include "ca/base/file.h"
#include "maker.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
	char *top, *dir; /* the second in the first */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->top = made_directory();
	f->dir = path_join(f->top, "inner");
	assert_int_equal(0, mkdir(f->dir, 0755));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	rmdir(f->dir);
	directory_remove(f->top);
	free(f->dir);
	free(f->top);
	free(f);
	return 0;
}

static void a_directory_of_ours_below_tmp_is_ours(void **state)
{
	struct fixture *f = *state;

	assert_true(ourdir_is(f->dir));
	assert_true(ourdir_is("/"));
	assert_false(ourdir_is("/nonexistent"));
}

static void one_where_others_may_write_is_not(void **state)
{
	static const mode_t modes[] = {0775, 0757, 0777, 01777};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(modes); i++) {
		assert_int_equal(0, chmod(f->dir, modes[i]));
		assert_false(ourdir_is(f->dir));
	}
}

static void what_is_above_it_counts_too(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(0, chmod(f->top, 0777));
	assert_false(ourdir_is(f->dir));
	/* There nobody renames what is another's. */
	assert_int_equal(0, chmod(f->top, 01777));
	assert_true(ourdir_is(f->dir));
}

static void somebody_elses_is_not(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(0, chown(f->dir, 65534, (gid_t)-1));
	assert_false(ourdir_is(f->dir));
	assert_int_equal(0, chown(f->dir, 0, (gid_t)-1));
	assert_int_equal(0, chown(f->top, 65534, (gid_t)-1));
	assert_false(ourdir_is(f->dir));
}

static void a_link_may_lead_elsewhere_at_any_time(void **state)
{
	struct fixture *f = *state;
	AUTO(mem_free) char *link = path_join(f->top, "link");

	assert_int_equal(0, symlink(f->dir, link));
	assert_false(ourdir_is(link));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_directory_of_ours_below_tmp_is_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(one_where_others_may_write_is_not, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_above_it_counts_too, setup, teardown),
		cmocka_unit_test_setup_teardown(somebody_elses_is_not, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_link_may_lead_elsewhere_at_any_time, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
