#include "ca/base/file.h"
#include "tests/unit/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define KEY "00112233445566778899aabbccddeeffFFEEDDCCBBAA99887766554433221100"

/* Every test has a directory of its own as the working directory. */
static int enter_directory(void **state)
{
	char *dir = strdup("/tmp/endorse-file-XXXXXX");

	if (dir == NULL || mkdtemp(dir) == NULL || chdir(dir) != 0)
		return -1;
	*state = dir;
	return 0;
}

static size_t count_entries(void)
{
	DIR *dir = opendir(".");
	size_t n = 0;

	assert_non_null(dir);
	for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static int leave_directory(void **state)
{
	DIR *dir = opendir(".");

	assert_non_null(dir);
	for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			assert_int_equal(0, remove(entry->d_name));
	closedir(dir);
	assert_int_equal(0, chdir("/"));
	assert_int_equal(0, rmdir(*state));
	free(*state);
	return 0;
}

static void put(const char *path, const char *text, size_t n, mode_t mode)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(n, fwrite(text, 1, n, file));
	assert_int_equal(0, fclose(file));
	assert_int_equal(0, chmod(path, mode));
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(0, lstat(path, &st));
	return st.st_mode & 07777;
}

static void a_file_is_read_whole_and_appended(void **state)
{
	AUTO(buf_free) struct buf out = BUF(16);

	(void)state;
	put("f", "a\0b\n", 4, 0600);
	buf_str(&out, "x");
	assert_ok(file_read("f", &out));
	assert_view_equal(((struct view){(const uint8_t *)"xa\0b\n", 5}), buf_view(&out));
}

static void an_empty_file_is_read_as_nothing(void **state)
{
	AUTO(buf_free) struct buf out = BUF(16);

	(void)state;
	put("f", "", 0, 0600);
	assert_ok(file_read("f", &out));
	assert_int_equal(0, out.n);
}

static void a_file_is_read_up_to_the_limit(void **state)
{
	static const size_t limits[] = {1, 4095, 4096, 4097, 65536};
	static char text[65537];

	(void)state;
	for (size_t i = 0; i < COUNT(limits); i++) {
		AUTO(buf_free) struct buf exact = BUF(limits[i]), small = BUF(limits[i]);

		put("f", text, limits[i], 0600);
		assert_ok(file_read("f", &exact));
		assert_int_equal(limits[i], exact.n);
		put("f", text, limits[i] + 1, 0600);
		assert_refused(file_read("f", &small), ERR_TOO_LARGE, "file-too-large");
	}
}

static void only_a_regular_file_is_read(void **state)
{
	static const struct {
		const char *path;
		enum err err;
		const char *code;
	} rows[] = {
		{"missing", ERR_NOT_FOUND, "file-missing"},
		{"missing/f", ERR_NOT_FOUND, "file-missing"},
		{"file/f", ERR_NOT_FOUND, "file-missing"},
		{"dangling", ERR_NOT_FOUND, "file-missing"},
		{"", ERR_NOT_FOUND, "file-missing"},
		{"file", OK, ""},
		{"link", OK, ""},
		{"fifo", ERR_INTERNAL, "file-read"},
		{"dir", ERR_INTERNAL, "file-read"},
		{"socket", ERR_INTERNAL, "file-read"},
		{"loop", ERR_INTERNAL, "file-read"},
		{"/dev/null", ERR_INTERNAL, "file-read"},
	};
	const struct sockaddr_un address = {AF_UNIX, "socket"};
	AUTO(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	put("file", "x", 1, 0600);
	assert_int_equal(0, mkfifo("fifo", 0600));
	assert_int_equal(0, mkdir("dir", 0700));
	assert_int_equal(0, symlink("file", "link"));
	assert_int_equal(0, symlink("missing", "dangling"));
	assert_int_equal(0, symlink("loop", "loop"));
	assert_int_equal(0, bind(fd, (const struct sockaddr *)&address, sizeof(address)));
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf out = BUF(16), secret = BUF(16);

		assert_refused_in(
			rows[i].path, file_read(rows[i].path, &out), rows[i].err, rows[i].code);
		assert_refused_in(rows[i].path, file_read_secret(rows[i].path, false, &secret),
			rows[i].err, rows[i].code);
	}
}

static void a_file_that_cannot_be_opened_is_our_fault(void **state)
{
	AUTO(buf_free) struct buf out = BUF(16);

	(void)state;
	/* A link to itself: nobody can open it, root neither. */
	assert_int_equal(symlink("loop", "loop"), 0);
	assert_refused(file_read("loop", &out), ERR_INTERNAL, "file-read");
	unlink("loop");
}

static void a_secret_is_nobody_elses(void **state)
{
	static const struct {
		mode_t mode;
		enum err alone, with_group;
	} rows[] = {
		{0600, OK, OK},
		{0400, OK, OK},
		{0700, OK, OK},
		{0640, ERR_INTERNAL, OK},
		{0440, ERR_INTERNAL, OK},
		{0620, ERR_INTERNAL, ERR_INTERNAL},
		{0660, ERR_INTERNAL, ERR_INTERNAL},
		{0610, ERR_INTERNAL, ERR_INTERNAL},
		{0604, ERR_INTERNAL, ERR_INTERNAL},
		{0602, ERR_INTERNAL, ERR_INTERNAL},
		{0601, ERR_INTERNAL, ERR_INTERNAL},
		{0644, ERR_INTERNAL, ERR_INTERNAL},
		{0666, ERR_INTERNAL, ERR_INTERNAL},
	};

	(void)state;
	put("f", KEY, 64, 0600);
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf out = BUF(64), group = BUF(64);
		uint8_t key[32];
		char name[8];

		snprintf(name, sizeof(name), "%04o", (unsigned)rows[i].mode);
		assert_int_equal(0, chmod("f", rows[i].mode));
		assert_refused_in(name, file_read_secret("f", false, &out), rows[i].alone,
			"file-permissions");
		assert_refused_in(name, file_read_secret("f", true, &group), rows[i].with_group,
			"file-permissions");
		assert_refused_in(
			name, file_read_key("f", false, key), rows[i].alone, "file-permissions");
		assert_int_equal(rows[i].alone == OK ? 64 : 0, out.n);
	}
}

static void a_refused_secret_says_what_to_do(void **state)
{
	AUTO(buf_free) struct buf out = BUF(16);

	(void)state;
	put("f", "x", 1, 0644);
	assert_refused(file_read_secret("f", false, &out), ERR_INTERNAL, "file-permissions");
	assert_string_equal(
		"f: a secret that others can reach (mode 0644): chmod 0600 it", why()->sentence);
	assert_refused(file_read_secret("f", true, &out), ERR_INTERNAL, "file-permissions");
	assert_string_equal(
		"f: a secret that others can reach (mode 0644): chmod 0640 it", why()->sentence);
}

static void a_key_file_has_64_digits_and_at_most_one_newline(void **state)
{
	static char long_text[1000];
	static const struct {
		const char *name, *text;
		size_t n;
		enum err err;
	} rows[] = {
		{"64 digits", KEY, 64, OK},
		{"and a newline", KEY "\n", 65, OK},
		{"two newlines", KEY "\n\n", 66, ERR_INTERNAL},
		{"a carriage return", KEY "\r\n", 66, ERR_INTERNAL},
		{"a blank", KEY " ", 65, ERR_INTERNAL},
		{"a NUL", KEY "\0", 65, ERR_INTERNAL},
		{"a newline first", "\n" KEY, 65, ERR_INTERNAL},
		{"63 digits", KEY, 63, ERR_INTERNAL},
		{"65 digits", KEY "0", 65, ERR_INTERNAL},
		{"32 raw bytes", KEY, 32, ERR_INTERNAL},
		{"nothing", "", 0, ERR_INTERNAL},
		{"a newline only", "\n", 1, ERR_INTERNAL},
		{"128 bytes", long_text, 128, ERR_INTERNAL},
		{"129 bytes", long_text, 129, ERR_INTERNAL},
		{"1000 bytes", long_text, 1000, ERR_INTERNAL},
	};

	(void)state;
	memset(long_text, '0', sizeof(long_text));
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t key[32];

		put("f", rows[i].text, rows[i].n, 0600);
		assert_refused_in(
			rows[i].name, file_read_key("f", false, key), rows[i].err, "secret-file");
		if (rows[i].err == OK)
			assert_memory_equal("\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc"
					    "\xdd\xee\xff\xff\xee\xdd\xcc\xbb\xaa\x99\x88\x77\x66"
					    "\x55\x44\x33\x22\x11\x00",
				key, 32);
	}
}

static void a_missing_key_file_is_missing(void **state)
{
	uint8_t key[32];

	(void)state;
	assert_refused(file_read_key("missing", false, key), ERR_NOT_FOUND, "file-missing");
}

static void a_replaced_file_is_a_new_one_and_the_old_stays_whole_for_its_readers(void **state)
{
	AUTO(buf_free) struct buf out = BUF(16);
	AUTO(fd_close) int old = -1;
	char text[8] = "";

	(void)state;
	put("f", "before", 6, 0644);
	old = open("f", O_RDONLY | O_CLOEXEC);
	assert_ok(file_replace("f", 0600, view_str("after")));
	assert_int_equal(6, read(old, text, sizeof(text) - 1));
	assert_string_equal("before", text);
	assert_ok(file_read("f", &out));
	assert_string_equal("after", buf_text(&out));
	assert_int_equal(0600, mode_of("f"));
	assert_int_equal(1, count_entries());
}

static void the_mode_is_that_asked_for_whatever_the_umask(void **state)
{
	static const mode_t modes[] = {0600, 0640, 0644, 0666};
	mode_t before = umask(0077);

	(void)state;
	for (size_t i = 0; i < COUNT(modes); i++) {
		assert_ok(file_replace("f", modes[i], view_str("x")));
		assert_int_equal(modes[i], mode_of("f"));
	}
	umask(before);
}

static void a_link_is_replaced_and_what_it_led_to_is_left(void **state)
{
	AUTO(buf_free) struct buf out = BUF(16);
	struct stat st;

	(void)state;
	put("target", "target", 6, 0644);
	assert_int_equal(0, symlink("target", "link"));
	assert_ok(file_replace("link", 0600, view_str("new")));
	assert_int_equal(0, lstat("link", &st));
	assert_true(S_ISREG(st.st_mode));
	assert_ok(file_read("target", &out));
	assert_string_equal("target", buf_text(&out));
}

static void a_file_can_be_made_empty(void **state)
{
	struct stat st;

	(void)state;
	put("f", "before", 6, 0644);
	assert_ok(file_replace("f", 0644, (struct view){NULL, 0}));
	assert_int_equal(0, stat("f", &st));
	assert_int_equal(0, st.st_size);
}

static void what_cannot_be_written_leaves_nothing_behind(void **state)
{
	(void)state;
	assert_refused(file_replace("missing/f", 0600, view_str("x")), ERR_INTERNAL, "file-write");
	assert_int_equal(0, count_entries());
	/* the rename is what fails here */
	assert_int_equal(0, mkdir("dir", 0700));
	assert_refused(file_replace("dir", 0600, view_str("x")), ERR_INTERNAL, "file-write");
	assert_int_equal(1, count_entries());
}

static void a_full_disk_leaves_the_old_file_and_nothing_beside_it(void **state)
{
	AUTO(buf_free) struct buf out = BUF(16);
	struct rlimit before, full;
	enum err err;

	(void)state;
	put("f", "before", 6, 0644);
	assert_int_equal(0, getrlimit(RLIMIT_FSIZE, &before));
	full = (struct rlimit){3, before.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &full));
	err = file_replace("f", 0644, view_str("after"));
	assert_int_equal(0, setrlimit(RLIMIT_FSIZE, &before));
	signal(SIGXFSZ, SIG_DFL);
	assert_refused(err, ERR_INTERNAL, "file-write");
	assert_non_null(strstr(why()->sentence, strerror(EFBIG)));
	assert_ok(file_read("f", &out));
	assert_string_equal("before", buf_text(&out));
	assert_int_equal(1, count_entries());
}

static void relative_names_are_joined_and_absolute_ones_are_not(void **state)
{
	static const struct {
		const char *dir, *name, *path;
	} rows[] = {{"/etc/x", "y", "/etc/x/y"}, {".", "y/z", "./y/z"}, {"/etc", "/y", "/y"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(mem_free) char *path = path_join(rows[i].dir, rows[i].name);

		assert_string_equal(rows[i].path, path);
	}
}

#define IN_A_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, enter_directory, leave_directory)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_DIRECTORY(a_file_is_read_whole_and_appended),
		IN_A_DIRECTORY(an_empty_file_is_read_as_nothing),
		IN_A_DIRECTORY(a_file_is_read_up_to_the_limit),
		IN_A_DIRECTORY(only_a_regular_file_is_read),
		IN_A_DIRECTORY(a_file_that_cannot_be_opened_is_our_fault),
		IN_A_DIRECTORY(a_secret_is_nobody_elses),
		IN_A_DIRECTORY(a_refused_secret_says_what_to_do),
		IN_A_DIRECTORY(a_key_file_has_64_digits_and_at_most_one_newline),
		IN_A_DIRECTORY(a_missing_key_file_is_missing),
		IN_A_DIRECTORY(
			a_replaced_file_is_a_new_one_and_the_old_stays_whole_for_its_readers),
		IN_A_DIRECTORY(the_mode_is_that_asked_for_whatever_the_umask),
		IN_A_DIRECTORY(a_link_is_replaced_and_what_it_led_to_is_left),
		IN_A_DIRECTORY(a_file_can_be_made_empty),
		IN_A_DIRECTORY(what_cannot_be_written_leaves_nothing_behind),
		IN_A_DIRECTORY(a_full_disk_leaves_the_old_file_and_nothing_beside_it),
		cmocka_unit_test(relative_names_are_joined_and_absolute_ones_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
