#include "enroll/admin/run.h"

#include "tests/unit/check.h"

#include <unistd.h>

static enum err run(
	const char *const *argv, unsigned seconds, size_t file_max, struct buf *output, int *status)
{
	*status = -1;
	return run_program(
		&(struct run){argv, "some-package", "/tmp", seconds, file_max}, output, status);
}

static void what_it_says_and_how_it_ends_is_kept(void **state)
{
	static const char *const argv[] = {
		"sh", "-c", "pwd; echo oops >&2; cat; env | sort; exit 3", NULL};
	AUTO(buf_free) struct buf output = BUF(4096);
	int status;

	(void)state;
	setenv("http_proxy", "http://127.0.0.1:9", 1);
	assert_ok(run(argv, 10, 1 << 20, &output, &status));
	assert_int_equal(status, 3);
	assert_non_null(strstr(buf_text(&output), "/tmp\noops\nLC_ALL=C\n"));
	assert_null(strstr(buf_text(&output), "http_proxy"));
}

static void a_missing_one_names_its_package(void **state)
{
	static const char *const argv[] = {"no-such-program-of-endorse", NULL};
	AUTO(buf_free) struct buf output = BUF(4096);
	int status;

	(void)state;
	assert_refused(run(argv, 10, 1 << 20, &output, &status), ERR_NOT_FOUND, "program-missing");
	assert_non_null(strstr(why()->sentence, "apt install some-package"));
}

static void one_that_takes_too_long_is_stopped(void **state)
{
	static const char *const argv[] = {"sleep", "60", NULL};
	AUTO(buf_free) struct buf output = BUF(4096);
	int status;

	(void)state;
	assert_refused(run(argv, 1, 1 << 20, &output, &status), ERR_INTERNAL, "program-failed");
}

static void one_that_writes_too_much_is_stopped(void **state)
{
	static const char *const argv[] = {"sh", "-c",
		"f=$(mktemp) && dd if=/dev/zero of=$f bs=65536 count=8 2>/dev/null; s=$?; rm -f "
		"$f; "
		"exit $s",
		NULL};
	AUTO(buf_free) struct buf output = BUF(4096);
	int status;

	(void)state;
	assert_ok(run(argv, 10, 1 << 20, &output, &status));
	assert_int_equal(status, 0);
	assert_ok(run(argv, 10, 1000, &output, &status));
	assert_int_not_equal(status, 0);
}

static void what_does_not_fit_is_read_all_the_same(void **state)
{
	static const char *const argv[] = {"sh", "-c", "yes | head -c 300000; exit 4", NULL};
	AUTO(buf_free) struct buf output = BUF(1000);
	int status;

	(void)state;
	assert_ok(run(argv, 10, 1 << 20, &output, &status));
	assert_int_equal(status, 4);
	assert_true(output.n <= 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_says_and_how_it_ends_is_kept),
		cmocka_unit_test(a_missing_one_names_its_package),
		cmocka_unit_test(one_that_takes_too_long_is_stopped),
		cmocka_unit_test(one_that_writes_too_much_is_stopped),
		cmocka_unit_test(what_does_not_fit_is_read_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
