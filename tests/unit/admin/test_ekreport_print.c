#include "enroll/admin/ekreport_print.h"

#include "tests/unit/admin/captured.h"
#include "tests/unit/check.h"

#include <string.h>

static const struct ek_report accepted = {.file = "ek.der",
	.outcome = EK_ACCEPTED,
	.kind = "certificate",
	.manufacturer = "id:49465800",
	.manufacturer_name = "Infineon Technologies",
	.model = "SLB 9670",
	.version = "id:0728",
	.key = "rsa2048",
	.serial = "0102",
	.issuer = "CN=Some CA",
	.ek_digest = "aa",
	.sha256 = "bb",
	.not_before = 1500000000,
	.not_after = INT64_C(253402300799),
	.bytes = 900,
	.before = 7,
	.behind = 100,
	.class = "manufacturer",
	.source = "infineon",
	.step = {{"CN=Some CA", "cc", "sent", "", 1400000000, 1500000000},
		{"CN=Root", "dd", "anchor", "infineon", 1300000000, 2000000000}},
	.steps = 2,
	.is_bad_firmware = true,
	.remark = "firmware is known bad",
	.judged_at = 1800000000,
	.trust_version = "ee"};

static const struct ek_report refused = {.file = "other.der",
	.outcome = EK_REFUSED,
	.kind = "certificate",
	.manufacturer = "id:00000000",
	.key = "p256",
	.code = "ek-untrusted",
	.sentence = "no CA is known",
	.clause = "RFC 5280 6.1",
	.advice = "import it",
	.missing = "CN=Missing",
	.missing_key_id = "0a0b",
	.missing_url = "http://example.org/ca.crt",
	.judged_at = 1800000000};

static enum err print_text(const void *report)
{
	return ek_report_print(report, PRINT_TEXT);
}

static enum err print_json(const void *report)
{
	return ek_report_print(report, PRINT_JSON);
}

static enum err print_line(const void *report)
{
	return ek_report_print_line(report);
}

static void an_accepted_one_is_told_with_its_path_and_remarks(void **state)
{
	AUTO(buf_free) struct buf out = BUF(1 << 14), line = BUF(4096);

	(void)state;
	captured(print_text, &accepted, &out);
	assert_string_equal(buf_text(&out),
		"ek.der\n"
		"  what            certificate\n"
		"  manufacturer    Infineon Technologies (IFX, id:49465800)\n"
		"  model           SLB 9670\n"
		"  version         id:0728\n"
		"  key             rsa2048\n"
		"  serial          0102\n"
		"  valid           2017-07-14 to 9999-12-31 (no end)\n"
		"  issuer          CN=Some CA\n"
		"  EK digest       aa\n"
		"  SHA-256         bb\n"
		"  in NV           900 bytes of certificate after the header that TPM 1.2 storage "
		"has, 100 bytes of\n"
		"                  padding behind it\n"
		"path, from the EK's issuer up\n"
		"  1  CN=Some CA\n"
		"     sent with the EK certificate, 2014-05-13 to 2017-07-14 (EXPIRED)\n"
		"     SHA-256 cc\n"
		"  2  CN=Root\n"
		"     trusted root of \"infineon\", 2011-03-13 to 2033-05-18\n"
		"     SHA-256 dd\n"
		"remarks\n"
		"  ! firmware is known bad\n"
		"ACCEPTED  manufacturer, by \"infineon\"\n");
	captured(print_line, &accepted, &line);
	assert_string_equal(buf_text(&line), "ACCEPTED   manufacturer           IFX   rsa2048 "
					     "ek.der  by \"infineon\"; firmware is "
					     "known bad\n");
}

static void a_refused_one_is_told_with_what_is_missing_and_what_to_do(void **state)
{
	AUTO(buf_free) struct buf out = BUF(1 << 14), line = BUF(4096);

	(void)state;
	captured(print_text, &refused, &out);
	assert_string_equal(buf_text(&out),
		"other.der\n"
		"  what            certificate\n"
		"  manufacturer    id:00000000 (not a registered one)\n"
		"  key             p256\n"
		"whose certificate is missing\n"
		"  name            CN=Missing\n"
		"  key identifier  0a0b\n"
		"  offered at      http://example.org/ca.crt\n"
		"  (that address is the certificate's own word: nothing is fetched, and what lies "
		"there is to be\n"
		"  believed only if the manufacturer says so)\n"
		"REFUSED  ek-untrusted\n"
		"  no CA is known\n"
		"  (RFC 5280 6.1)\n"
		"  -> import it\n");
	captured(print_line, &refused, &line);
	assert_string_equal(buf_text(&line),
		"REFUSED    ek-untrusted           id:00000000 p256    other.der\n");
}

static void json_has_all_of_it_by_stable_keys(void **state)
{
	AUTO(buf_free) struct buf good = BUF(1 << 14), bad = BUF(1 << 14);

	(void)state;
	captured(print_json, &accepted, &good);
	assert_string_equal(buf_text(&good),
		"{\"file\":\"ek.der\",\"verdict\":\"accepted\",\"kind\":\"certificate\",\"class\":"
		"\"manufacturer\",\"source\":\"infineon\",\"remark\":\"firmware is known bad\","
		"\"trust_version\":\"ee\",\"judged_at\":1800000000,\"certificate\":{"
		"\"manufacturer\":"
		"\"id:49465800\",\"manufacturer_name\":\"Infineon Technologies\",\"model\":"
		"\"SLB 9670\",\"version\":\"id:0728\",\"key\":\"rsa2048\",\"serial\":\"0102\","
		"\"issuer\":\"CN=Some CA\",\"ek_digest\":\"aa\",\"sha256\":\"bb\",\"not_before\":"
		"1500000000,\"not_after\":253402300799,\"bytes\":900,\"bytes_before\":7,"
		"\"bytes_behind\":100},\"path\":[{\"subject\":\"CN=Some CA\",\"sha256\":\"cc\","
		"\"from\":\"sent\",\"not_before\":1400000000,\"not_after\":1500000000},{"
		"\"subject\":"
		"\"CN=Root\",\"sha256\":\"dd\",\"from\":\"anchor\",\"source\":\"infineon\","
		"\"not_before\":1300000000,\"not_after\":2000000000}],\"remarks\":[\"firmware\"]}"
		"\n");
	captured(print_json, &refused, &bad);
	assert_non_null(strstr(buf_text(&bad),
		"\"missing_issuer\":{\"name\":\"CN=Missing\",\"key_id\":\"0a0b\",\"url\":"
		"\"http://example.org/ca.crt\"}}\n"));
	assert_non_null(strstr(buf_text(&bad),
		"\"code\":\"ek-untrusted\",\"sentence\":\"no CA is known\",\"clause\":"
		"\"RFC 5280 6.1\",\"advice\":\"import it\""));
}

/* Of a directory that somebody sent. */
static void the_name_of_a_file_reaches_the_terminal_as_printable_text(void **state)
{
	static const struct ek_report hostile = {
		.file = "a\x1b[2J\nACCEPTED b", .outcome = EK_REFUSED, .code = "ek-untrusted"};
	AUTO(buf_free) struct buf text = BUF(1 << 14), line = BUF(1 << 14);

	(void)state;
	captured(print_text, &hostile, &text);
	captured(print_line, &hostile, &line);
	assert_non_null(strstr(buf_text(&text), "a?[2J?ACCEPTED b\n"));
	assert_non_null(strstr(buf_text(&line), " a?[2J?ACCEPTED b\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_accepted_one_is_told_with_its_path_and_remarks),
		cmocka_unit_test(a_refused_one_is_told_with_what_is_missing_and_what_to_do),
		cmocka_unit_test(json_has_all_of_it_by_stable_keys),
		cmocka_unit_test(the_name_of_a_file_reaches_the_terminal_as_printable_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
