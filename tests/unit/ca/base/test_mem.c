#include "tests/unit/check.h"

#include <fcntl.h>
#include <unistd.h>

static void a_view_of_a_string_leaves_its_nul_out(void **state)
{
	const char *s = "abc";

	(void)state;
	assert_ptr_equal(s, view_str(s).p);
	assert_int_equal(3, view_str(s).n);
	assert_int_equal(0, view_str("").n);
	assert_null(view_str(NULL).p);
	assert_int_equal(0, view_str(NULL).n);
}

static void views_are_equal_by_their_bytes(void **state)
{
	static const struct {
		struct view a, b;
		bool equal;
	} rows[] = {
		{{NULL, 0}, {NULL, 0}, true},
		{{NULL, 0}, {(const uint8_t *)"a", 0}, true},
		{{(const uint8_t *)"ab", 2}, {(const uint8_t *)"ab", 2}, true},
		{{(const uint8_t *)"ab", 2}, {(const uint8_t *)"ab", 1}, false},
		{{(const uint8_t *)"ab", 2}, {(const uint8_t *)"ac", 2}, false},
		{{(const uint8_t *)"a\0b", 3}, {(const uint8_t *)"a\0c", 3}, false},
		{{(const uint8_t *)"a", 1}, {NULL, 0}, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(rows[i].equal, view_equal(rows[i].a, rows[i].b));
}

static void a_moved_pointer_is_left_null(void **state)
{
	AUTO(mem_free) char *from = strdup("x");
	char *was = from;
	AUTO(mem_free) char *to = MOVE(from);

	(void)state;
	assert_null(from);
	assert_ptr_equal(was, to);
}

static void freed_memory_leaves_null_behind(void **state)
{
	char *p = malloc(1);

	(void)state;
	mem_free(&p);
	assert_null(p);
	mem_free(&p);
	assert_null(p);
}

static void a_closed_descriptor_leaves_minus_one_behind(void **state)
{
	int fd = open("/dev/null", O_RDONLY), was = fd;

	(void)state;
	assert_true(fd >= 0);
	fd_close(&fd);
	assert_int_equal(-1, fd);
	assert_int_equal(-1, fcntl(was, F_GETFD));
	fd_close(&fd);
	assert_int_equal(-1, fd);
}

static void the_end_of_a_scope_closes(void **state)
{
	int was;

	(void)state;
	{
		AUTO(fd_close) int fd = open("/dev/null", O_RDONLY);

		assert_true((was = fd) >= 0);
	}
	assert_int_equal(-1, fcntl(was, F_GETFD));
}

static void secrets_are_equal_when_every_bit_is(void **state)
{
	uint8_t a[32], b[32];

	(void)state;
	memset(a, 0x5a, sizeof(a));
	memcpy(b, a, sizeof(b));
	assert_true(secret_equal(a, b, sizeof(a)));
	for (size_t bit = 0; bit < 8 * sizeof(b); bit++) {
		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_false(secret_equal(a, b, sizeof(a)));
		b[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	b[31] ^= 1;
	assert_true(secret_equal(a, b, 31));
	assert_true(secret_equal(a, b, 0));
}

static void a_wiped_secret_is_zero_and_its_neighbours_are_not(void **state)
{
	uint8_t bytes[6];

	(void)state;
	memset(bytes, 0x5a, sizeof(bytes));
	secret_wipe(bytes + 1, 4);
	assert_memory_equal("\x5a\0\0\0\0\x5a", bytes, sizeof(bytes));
	secret_wipe(bytes, 0);
	assert_int_equal(0x5a, bytes[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_view_of_a_string_leaves_its_nul_out),
		cmocka_unit_test(views_are_equal_by_their_bytes),
		cmocka_unit_test(a_moved_pointer_is_left_null),
		cmocka_unit_test(freed_memory_leaves_null_behind),
		cmocka_unit_test(a_closed_descriptor_leaves_minus_one_behind),
		cmocka_unit_test(the_end_of_a_scope_closes),
		cmocka_unit_test(secrets_are_equal_when_every_bit_is),
		cmocka_unit_test(a_wiped_secret_is_zero_and_its_neighbours_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
