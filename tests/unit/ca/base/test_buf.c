#include "ca/base/buf.h"
#include "tests/unit/check.h"

static void an_empty_buffer_reads_as_nothing(void **state)
{
	struct buf buf = BUF(8);

	(void)state;
	assert_ok(buf_ok(&buf));
	assert_string_equal("", buf_text(&buf));
	assert_int_equal(0, buf_view(&buf).n);
	assert_null(buf_take(&buf));
	buf_free(&buf);
	assert_int_equal(8, buf.limit);
}

static void appends_follow_each_other(void **state)
{
	AUTO(buf_free) struct buf buf = BUF(64);

	(void)state;
	buf_str(&buf, "one");
	buf_add(&buf, VIEW(((const uint8_t[]){0, 1})));
	buf_fmt(&buf, "%d-%s", 23, "x");
	buf_u8(&buf, 0xff);
	buf_be64(&buf, 0x0102030405060708);
	assert_ok(buf_ok(&buf));
	assert_view_equal(
		buf_view(&buf), ((struct view){(const uint8_t *)"one\0\1"
								"23-x\xff\1\2\3\4\5\6\7\10",
					18}));
}

static void text_ends_with_a_nul_that_is_not_counted(void **state)
{
	AUTO(buf_free) struct buf buf = BUF(1024);
	char block[256];

	(void)state;
	memset(block, 'x', sizeof(block));
	/* 255, 256 and 257 bytes: around the first piece of memory */
	for (size_t n = 255; n <= 257; n++) {
		buf_free(&buf);
		buf_add(&buf, (struct view){(const uint8_t *)block, 255});
		for (size_t i = 255; i < n; i++)
			buf_u8(&buf, 'y');
		assert_int_equal(n, buf.n);
		assert_int_equal(n, strlen(buf_text(&buf)));
		assert_true(buf.room > n);
	}
}

static void the_limit_is_reached_and_not_passed(void **state)
{
	static const struct {
		const char *name;
		size_t n;
		enum err err;
	} rows[] = {{"limit - 1", 3, OK}, {"limit", 4, OK}, {"limit + 1", 5, ERR_TOO_LARGE}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf by_add = BUF(4), by_fmt = BUF(4);

		buf_add(&by_add, (struct view){(const uint8_t *)"abcde", rows[i].n});
		buf_fmt(&by_fmt, "%.*s", (int)rows[i].n, "abcde");
		assert_refused_in(rows[i].name, buf_ok(&by_add), rows[i].err, "too-large");
		assert_refused_in(rows[i].name, buf_ok(&by_fmt), rows[i].err, "too-large");
		assert_int_equal(rows[i].err == OK ? rows[i].n : 0, by_add.n);
		assert_int_equal(rows[i].err == OK ? rows[i].n : 0, by_fmt.n);
		buf_free(&by_fmt);
	}
}

static void what_follows_a_failed_append_is_not_added(void **state)
{
	AUTO(buf_free) struct buf buf = BUF(4);

	(void)state;
	buf_str(&buf, "ab");
	buf_str(&buf, "cde");
	buf_u8(&buf, 'c');
	buf_fmt(&buf, "%s", "d");
	assert_string_equal("ab", buf_text(&buf));
	assert_refused(buf_ok(&buf), ERR_TOO_LARGE, "too-large");
	assert_null(buf_take(&buf));
}

static void a_buffer_without_room_takes_nothing_but_nothing(void **state)
{
	AUTO(buf_free) struct buf buf = BUF(0);

	(void)state;
	buf_add(&buf, (struct view){NULL, 0});
	assert_ok(buf_ok(&buf));
	buf_u8(&buf, 1);
	assert_refused(buf_ok(&buf), ERR_TOO_LARGE, "too-large");
}

static void text_that_does_not_fit_leaves_nothing_behind_what_was_there(void **state)
{
	AUTO(buf_free) struct buf tight = BUF(8), wide = BUF(1000);
	char word[400];

	(void)state;
	memset(word, 'w', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	buf_str(&tight, "abc");
	buf_fmt(&tight, "%s", "secret");
	assert_refused(buf_ok(&tight), ERR_TOO_LARGE, "too-large");
	assert_string_equal(buf_text(&tight), "abc");
	for (size_t i = tight.n; i < tight.n + 8; i++)
		assert_int_equal(tight.p[i], 0);
	buf_fmt(&wide, "%s", "abc");
	buf_fmt(&wide, "-%s-", word);
	assert_ok(buf_ok(&wide));
	assert_int_equal(wide.n, 3 + 2 + strlen(word));
	assert_int_equal(strlen(buf_text(&wide)), wide.n);
}

static void a_length_near_the_largest_does_not_wrap(void **state)
{
	AUTO(buf_free) struct buf buf = BUF(16);

	(void)state;
	buf_str(&buf, "abc");
	buf_add(&buf, (struct view){(const uint8_t *)"x", SIZE_MAX - 1});
	assert_refused(buf_ok(&buf), ERR_TOO_LARGE, "too-large");
	assert_int_equal(3, buf.n);
}

static void growth_keeps_what_was_there(void **state)
{
	AUTO(buf_free) struct buf buf = BUF(1 << 20);

	(void)state;
	for (uint64_t i = 0; i < 4096; i++)
		buf_be64(&buf, i);
	assert_ok(buf_ok(&buf));
	assert_int_equal(8 * 4096, buf.n);
	for (size_t i = 0; i < 4096; i++) {
		assert_int_equal(i >> 8, buf.p[8 * i + 6]);
		assert_int_equal(i & 255, buf.p[8 * i + 7]);
	}
}

static void taken_text_is_the_callers_and_the_buffer_starts_anew(void **state)
{
	AUTO(buf_free) struct buf buf = BUF(4);
	AUTO(mem_free) char *text = NULL;

	(void)state;
	buf_str(&buf, "abcd");
	text = buf_take(&buf);
	assert_string_equal("abcd", text);
	assert_null(buf.p);
	assert_int_equal(4, buf.limit);
	buf_str(&buf, "efgh");
	assert_ok(buf_ok(&buf));
	assert_string_equal("abcd", text);
}

static void a_freed_buffer_forgets_its_failure(void **state)
{
	AUTO(buf_free) struct buf buf = BUF(1);

	(void)state;
	buf_str(&buf, "ab");
	assert_refused(buf_ok(&buf), ERR_TOO_LARGE, "too-large");
	buf_free(&buf);
	assert_ok(buf_ok(&buf));
	buf_str(&buf, "a");
	assert_ok(buf_ok(&buf));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_buffer_reads_as_nothing),
		cmocka_unit_test(appends_follow_each_other),
		cmocka_unit_test(text_ends_with_a_nul_that_is_not_counted),
		cmocka_unit_test(the_limit_is_reached_and_not_passed),
		cmocka_unit_test(what_follows_a_failed_append_is_not_added),
		cmocka_unit_test(a_buffer_without_room_takes_nothing_but_nothing),
		cmocka_unit_test(text_that_does_not_fit_leaves_nothing_behind_what_was_there),
		cmocka_unit_test(a_length_near_the_largest_does_not_wrap),
		cmocka_unit_test(growth_keeps_what_was_there),
		cmocka_unit_test(taken_text_is_the_callers_and_the_buffer_starts_anew),
		cmocka_unit_test(a_freed_buffer_forgets_its_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
