#include "enroll/admin/manifest.h"

#include "ca/base/encode.h"
#include "tests/softtpm/key.h"
#include "tests/unit/check.h"

#include <string.h>

static struct soft_key ek;
static struct buf public = BUF(1024);

static int make(void **state)
{
	(void)state;
	return soft_ek_make(SOFT_L2, NULL, &ek) && soft_key_public(&ek, &public) ? 0 : -1;
}

static int unmake(void **state)
{
	(void)state;
	soft_key_free(&ek);
	buf_free(&public);
	return 0;
}

static void a_public_area_is_taken_in_each_of_its_forms(void **state)
{
	AUTO(buf_free) struct buf hex = BUF(4096), base64 = BUF(4096);
	struct view forms[3];

	(void)state;
	hex_add(&hex, buf_view(&public));
	buf_str(&hex, "\n");
	base64_add(&base64, buf_view(&public));
	buf_str(&base64, "\r\n");
	forms[0] = buf_view(&public);
	forms[1] = buf_view(&hex);
	forms[2] = buf_view(&base64);
	for (size_t i = 0; i < COUNT(forms); i++) {
		AUTO(buf_free) struct buf out = BUF(LIMIT_PUBLIC);

		assert_ok(manifest_public(forms[i], &out));
		assert_true(view_equal(buf_view(&public), buf_view(&out)));
	}
}

static void a_digest_is_computed_and_one_that_is_another_is_refused(void **state)
{
	struct allow_entry entry = {.ek_public = BUF(LIMIT_PUBLIC)};
	char digest[EK_DIGEST_DIGITS + 1];

	(void)state;
	buf_add(&entry.ek_public, buf_view(&public));
	assert_ok(manifest_judge(&entry));
	assert_int_equal(EK_DIGEST_DIGITS, strlen(entry.ek_digest));
	assert_ok(manifest_judge(&entry));
	memcpy(digest, entry.ek_digest, sizeof(digest));
	entry.ek_digest[0] = entry.ek_digest[0] == '0' ? '1' : '0';
	assert_refused(manifest_judge(&entry), ERR_MALFORMED, "ek-digest");
	entry.ek_digest[0] = '\0';
	entry.ek_public.p[9] ^= 1; /* an attribute: no template has it so */
	assert_true(manifest_judge(&entry) != OK);
	allow_entry_free(&entry);
	assert_refused(manifest_judge(&entry), ERR_MALFORMED, "ek-digest");
}

static void good_lines_are_kept_with_their_numbers_and_bad_ones_are_told(void **state)
{
	static const char text[] =
		"host,ek_digest,labels\n"
		"a.example.org,00000000000000000000000000000000000000000000000000000000000000aa,\n"
		"b.example.org,xyz,\n"
		"\n"
		",00000000000000000000000000000000000000000000000000000000000000BB,x=1\n"
		"a.example.org,00000000000000000000000000000000000000000000000000000000000000cc,\n";
	AUTO(manifest_free) struct manifest manifest;

	(void)state;
	manifest_init(&manifest);
	assert_ok(manifest_read(view_str(text), "list.csv", &manifest));
	assert_int_equal(2, manifest.request.n);
	assert_int_equal(2, manifest.line[0]);
	assert_int_equal(5, manifest.line[1]);
	assert_string_equal("a.example.org", manifest.request.entries[0].host);
	assert_string_equal("00000000000000000000000000000000000000000000000000000000000000bb",
		manifest.request.entries[1].ek_digest);
	assert_string_equal("{\"x\":\"1\"}", manifest.request.entries[1].labels);
	assert_int_equal(2, manifest.bad);
	assert_non_null(strstr(buf_text(&manifest.problems), "list.csv:3: "));
	assert_non_null(
		strstr(buf_text(&manifest.problems), "list.csv:6: the same host is in line 2\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_public_area_is_taken_in_each_of_its_forms),
		cmocka_unit_test(a_digest_is_computed_and_one_that_is_another_is_refused),
		cmocka_unit_test(good_lines_are_kept_with_their_numbers_and_bad_ones_are_told),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
