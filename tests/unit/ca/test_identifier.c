#include "ca/identifier.h"

#include "ca/base/ossl.h"
#include "tests/unit/check.h"

#define ID "0123456789abcdef0123456789abcdef"
/* otherName 1.3.6.1.5.5.7.8.3, as a GeneralName; the length of what follows is in the rows. */
#define OTHER "06082b06010505070803"

static void name_free(GENERAL_NAME **name)
{
	GENERAL_NAME_free(*name);
}

static GENERAL_NAME *from_hex(const char *hex)
{
	AUTO(buf_free) struct buf der = BUF(256);
	const uint8_t *p;
	GENERAL_NAME *name;

	add_hex(&der, hex);
	p = der.p;
	name = d2i_GENERAL_NAME(NULL, &p, (long)der.n);
	assert_non_null(name);
	return name;
}

static void what_is_written_is_read_again(void **state)
{
	AUTO(name_free) GENERAL_NAME *name = GENERAL_NAME_new();

	(void)state;
	assert_ok(identifier_set(name, ID));
	assert_true(is_identifier(name));
	assert_true(identifier_says(name, ID));
	assert_false(identifier_says(name, "1123456789abcdef0123456789abcdef"));
	assert_false(identifier_says(name, ID "0"));
	assert_false(identifier_says(name, ""));
}

/* RFC 4043 2, of one letter: the bytes by hand. */
static void its_bytes_are_those_of_the_rfc(void **state)
{
	AUTO(name_free) GENERAL_NAME *name = GENERAL_NAME_new();
	AUTO(ossl_free) uint8_t *der = NULL;
	AUTO(buf_free) struct buf wanted = BUF(64);
	int n;

	(void)state;
	assert_ok(identifier_set(name, "x"));
	n = i2d_GENERAL_NAME(name, &der);
	add_hex(&wanted, "a011" OTHER "a00530030c0178");
	assert_view_equal(buf_view(&wanted), ((struct view){der, (size_t)n}));
}

static const struct {
	const char *hex;
	bool is, says; /* "x" */
} rows[] = {
	{"a011" OTHER "a00530030c0178", true, true},
	{"a016" OTHER "a00a30080c017806032a0304", true, true}, /* with an assigner */
	{"a013" OTHER "a007300506032a0304", true, false}, /* with nothing but an assigner */
	{"a00e" OTHER "a0023000", true, false}, {"a012" OTHER "a00630040c027878", true, false},
	{"a00f" OTHER "a0030c0178", true, false}, /* no sequence */
	{"a013" OTHER "a00730050c01780500", true, false}, /* something after the value */
	{"a011" OTHER "a0053003130178", true, false}, /* a PrintableString */
	{"a011"
	 "06082b06010505070804"
	 "a00530030c0178",
		false, false},
	{"820178", false, false}, /* dNSName */
};

static void others_are_told_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(name_free) GENERAL_NAME *name = from_hex(rows[i].hex);

		if (is_identifier(name) != rows[i].is || identifier_says(name, "x") != rows[i].says)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(its_bytes_are_those_of_the_rfc),
		cmocka_unit_test(others_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
