#include "ca/base/folder.h"

#include "ca/base/file.h"
#include "tests/unit/check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/endorse-folder-XXXXXX";

static void put(const char *name)
{
	AUTO(mem_free) char *path = path_join(dir, name);

	assert_int_equal(OK, file_replace(path, 0600, view_str("x")));
}

static void take_away(const char *name)
{
	AUTO(mem_free) char *path = path_join(dir, name);

	assert_int_equal(0, remove(path));
}

static void entries_come_by_name_without_the_hidden_ones(void **state)
{
	static const char *const names[] = {"b.pem", ".hidden", "a.pem", "c"};
	AUTO(folder_free) struct folder folder;
	AUTO(mem_free) char *first = NULL;

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < COUNT(names); i++)
		put(names[i]);
	assert_int_equal(OK, folder_read(dir, &folder));
	for (size_t i = 0; i < COUNT(names); i++)
		take_away(names[i]);
	assert_int_equal(0, rmdir(dir));
	assert_int_equal(3, folder.n);
	assert_string_equal("a.pem", folder.entry[0].name);
	assert_string_equal("b.pem", folder.entry[1].name);
	assert_string_equal("c", folder.entry[2].name);
	first = path_join(dir, "a.pem");
	assert_string_equal(first, folder.entry[0].path);
}

static void a_directory_that_is_not_there_is_told(void **state)
{
	AUTO(folder_free) struct folder folder;

	(void)state;
	assert_int_equal(ERR_INTERNAL, folder_read("/nonexistent/folder", &folder));
	assert_string_equal("file-read", why()->code);
	assert_string_equal("/nonexistent/folder: No such file or directory", why()->sentence);
	assert_int_equal(0, folder.n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_come_by_name_without_the_hidden_ones),
		cmocka_unit_test(a_directory_that_is_not_there_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
