#include "ca/base/hostname.h"
#include "tests/unit/check.h"

/* Letters of one label. */
#define L10 "abcdefghij"
#define L60 L10 L10 L10 L10 L10 L10
#define L63 L60 "abc"

static void a_host_name_has_the_form_of_rfc_1123(void **state)
{
	static const struct {
		const char *name;
		enum err err;
	} rows[] = {
		{"web-01.example.org", OK},
		{"a.b", OK},
		{"1.b", OK},
		{"1a.2b", OK},
		{"a--b.xn--p1ai", OK},
		{L63 ".org", OK},
		{L63 "d.org", ERR_MALFORMED},
		{"org." L63, OK},
		{"org." L63 "d", ERR_MALFORMED},
		{"", ERR_MALFORMED},
		{"localhost", ERR_MALFORMED},
		{".", ERR_MALFORMED},
		{"x.y.", ERR_MALFORMED},
		{".x.y", ERR_MALFORMED},
		{"a..b", ERR_MALFORMED},
		{"*.x.y", ERR_MALFORMED},
		{"x.*.y", ERR_MALFORMED},
		{"a*.x.y", ERR_MALFORMED},
		{"10.0.0.1", ERR_MALFORMED},
		{"web.example.1", ERR_MALFORMED},
		{"1.2", ERR_MALFORMED},
		{"::1", ERR_MALFORMED},
		{"[::1].x", ERR_MALFORMED},
		{"Web.example.org", ERR_MALFORMED},
		{"web.example.ORG", ERR_MALFORMED},
		{"-web.example.org", ERR_MALFORMED},
		{"web-.example.org", ERR_MALFORMED},
		{"web.example.-org", ERR_MALFORMED},
		{"web.example.org-", ERR_MALFORMED},
		{"-.x", ERR_MALFORMED},
		{"we_b.example.org", ERR_MALFORMED},
		{"web.example.org ", ERR_MALFORMED},
		{" web.example.org", ERR_MALFORMED},
		{"web.example.org\n", ERR_MALFORMED},
		{"web.example.org/x", ERR_MALFORMED},
		{"web.example.org:443", ERR_MALFORMED},
		{"a@b.c", ERR_MALFORMED},
		{"w\xc3\xa9"
		 "b.example.org",
			ERR_MALFORMED},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_refused_in(
			rows[i].name, hostname_check(rows[i].name), rows[i].err, "host-name");
}

static void a_name_has_at_most_253_characters(void **state)
{
	/* four labels of 62 and a dot each, 252 characters */
	char name[256] = "";

	(void)state;
	for (size_t i = 0; i < 252; i++)
		name[i] = i % 63 == 62 ? '.' : 'a';
	name[252] = 'b';
	assert_int_equal(253, strlen(name));
	assert_ok(hostname_check(name));
	name[253] = 'b';
	assert_refused(hostname_check(name), ERR_MALFORMED, "host-name");
	assert_non_null(strstr(why()->sentence, "253"));
}

static void each_refusal_says_what_is_wrong(void **state)
{
	static const struct {
		const char *name, *says;
	} rows[] = {
		{"localhost", "a single label"},
		{"a..b", "an empty label"},
		{L63 "d.org", "more than 63"},
		{"A.b", "only lower-case"},
		{"-a.b", "hyphen"},
		{"10.0.0.1", "a number"},
		{"1.0x7f", "a number"},
		{"a.0x", "a number"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_refused(hostname_check(rows[i].name), ERR_MALFORMED, "host-name");
		assert_string_equal("RFC 1123 2.1", why()->clause);
		assert_non_null(strstr(why()->sentence, rows[i].says));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_host_name_has_the_form_of_rfc_1123),
		cmocka_unit_test(a_name_has_at_most_253_characters),
		cmocka_unit_test(each_refusal_says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
