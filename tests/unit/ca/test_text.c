#include "ca/text.h"

#include "tests/unit/check.h"

#define X16 "xxxxxxxxxxxxxxxx"
#define X128 X16 X16 X16 X16 X16 X16 X16 X16
#define X512 X128 X128 X128 X128
#define N60 "123456789012345678901234567890123456789012345678901234567890"

static const struct {
	enum text_type type;
	const char *text;
	bool is;
} rows[] = {
	{TEXT_PRINTABLE, "", false},
	{TEXT_PRINTABLE, "a, b=c \\ \"", true},
	{TEXT_PRINTABLE, "a\nb", false},
	{TEXT_PRINTABLE, "\x7f", false},
	{TEXT_PRINTABLE, "\xc3\xa4", false},
	{TEXT_PRINTABLE, X128, true},
	{TEXT_PRINTABLE, X128 "x", false},
	{TEXT_IA5, X512, true},
	{TEXT_IA5, X512 "x", false},
	{TEXT_IA5, "\xc3\xa4", false},
	{TEXT_DNS, "web-01.example.org", true},
	{TEXT_DNS, "example", false},
	{TEXT_DNS, "*.example.org", false},
	{TEXT_DNS, "Web.example.org", false},
	{TEXT_DNS, "a.example.org,DNS:b.example.org", false},
	{TEXT_DNS, "a.example.org\n", false},
	{TEXT_DNS, "192.0.2.1", false},
	{TEXT_DNS, "", false},
	{TEXT_URI, "urn:ek:sha256:AAAA+/=", true},
	{TEXT_URI, "https://ca.example.org:8443/a?b=c#d", true},
	{TEXT_URI, "spiffe://example.org/%C3%A4", true},
	{TEXT_URI, "urn:%4", false},
	{TEXT_URI, "urn:%4g", false},
	{TEXT_URI, "urn:", false},
	{TEXT_URI, ":urn", false},
	{TEXT_URI, "1urn:x", false},
	{TEXT_URI, "/path:x", false},
	{TEXT_URI, "urn:a b", false},
	{TEXT_URI, "urn:<a>", false},
	{TEXT_URI, "urn:\xc3\xa4", false},
	{TEXT_URI, "urn:" X512, false},
	{TEXT_PRINCIPAL, "web-01.example.org", true},
	{TEXT_PRINCIPAL, "deploy_2@example.org", true},
	{TEXT_PRINCIPAL, "", false},
	{TEXT_PRINCIPAL, "a,root", false},
	{TEXT_PRINCIPAL, "a root", false},
	{TEXT_PRINCIPAL, "*", false},
	{TEXT_PRINCIPAL, X128 "x", false},
	{TEXT_UTF8, "\xc3\x84rger & S\xc3\xb6hne GmbH", true},
	{TEXT_UTF8, "\xe6\xa0\xaa\xe5\xbc\x8f", true},
	{TEXT_UTF8, "\xf0\x9f\x94\x91", true},
	{TEXT_UTF8, "", false},
	{TEXT_UTF8, X512, true},
	{TEXT_UTF8, X512 "x", false},
	{TEXT_UTF8, "a\tb", false},
	{TEXT_UTF8, "a\x1b[2Jb", false},
	{TEXT_UTF8, "\xc2\x85", false}, /* U+0085, a control */
	{TEXT_UTF8, "gro\xe2\x80\xae.example", false}, /* U+202E turns the writing around */
	{TEXT_UTF8, "a\xe2\x80\x8b.b", false}, /* U+200B, nobody sees it */
	{TEXT_UTF8, "\xef\xbb\xbfx", false}, /* U+FEFF */
	{TEXT_UTF8, "\xef\xbf\xbf", false}, /* U+FFFF is no character */
	{TEXT_UTF8, "\xf0\x9f\xbf\xbe", false}, /* nor is U+1FFFE */
	{TEXT_UTF8, "\xff", false},
	{TEXT_UTF8, "\xc3", false},
	{TEXT_UTF8, "\xc0\xaf", false}, /* a "/" in two bytes */
	{TEXT_UTF8, "\xed\xa0\x80", false}, /* half of a UTF-16 pair */
	{TEXT_UTF8, "\xf4\x90\x80\x80", false}, /* beyond U+10FFFF */
	{TEXT_PRINTABLE_STRING, "O'Neill (a) +,-./:=?", true},
	{TEXT_PRINTABLE_STRING, "a@b", false},
	{TEXT_PRINTABLE_STRING, "a_b", false},
	{TEXT_PRINTABLE_STRING, "", false},
	{TEXT_INTEGER, "0", true},
	{TEXT_INTEGER, "-1", true},
	{TEXT_INTEGER, N60, true},
	{TEXT_INTEGER, "-" N60, true},
	{TEXT_INTEGER, N60 "1", false},
	{TEXT_INTEGER, "", false},
	{TEXT_INTEGER, "-", false},
	{TEXT_INTEGER, "-0", false},
	{TEXT_INTEGER, "01", false},
	{TEXT_INTEGER, "0x10", false},
	{TEXT_INTEGER, "+1", false},
	{TEXT_INTEGER, " 1", false},
	{TEXT_INTEGER, "1 ", false},
	{TEXT_BOOLEAN, "true", true},
	{TEXT_BOOLEAN, "false", true},
	{TEXT_BOOLEAN, "TRUE", false},
	{TEXT_BOOLEAN, "", false},
	{TEXT_OID, "1.3.6.1.4.1.99999.1", true},
	{TEXT_OID, "1.2.840.113556.1.8000.2554.11678.54212.13990.18118.39851.7049480.9573563.1.1",
		true},
	{TEXT_OID, "serverAuth", false},
	{TEXT_OID, "1.3 6", false},
	{TEXT_OID, "1..3", false},
	{TEXT_OID, "1.3.", false},
	{TEXT_OID, ".1.3", false},
	{TEXT_OID, "3.1", false},
	{TEXT_OID, "1.40", false},
	{TEXT_OID, "1", false},
	{TEXT_OID, "", false},
};

static void a_text_is_of_its_type_or_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (text_is(rows[i].text, rows[i].type) != rows[i].is)
			fail_msg("row %zu, \"%.64s\": wanted %s", i, rows[i].text,
				rows[i].is ? text_type_says(rows[i].type) : "a refusal");
}

/* 64 kB are looked at no further than to where they are too long. */
static void what_is_far_too_long_is_of_no_type(void **state)
{
	static char huge[1 << 16];

	(void)state;
	memset(huge, '1', sizeof(huge) - 1);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_false(text_is(huge, rows[i].type));
		assert_non_null(text_type_says(rows[i].type));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_is_of_its_type_or_not),
		cmocka_unit_test(what_is_far_too_long_is_of_no_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
