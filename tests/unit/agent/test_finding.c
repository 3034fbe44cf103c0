#include "enroll/agent/finding.h"
#include "tests/unit/check.h"

#include <string.h>

static void findings_are_counted_by_their_kind_and_kept_as_json(void **state)
{
	struct findings findings;

	(void)state;
	findings_begin(&findings, true);
	finding(&findings, FINDING_OK, "tpm", "it is %s", "there");
	finding(&findings, FINDING_FAIL, "tls", "who is \"%s\"?", "x");
	finding(&findings, FINDING_FAIL, "policy", "no");
	finding(&findings, FINDING_SKIPPED, "service", "-");
	assert_int_equal(1, findings.count[FINDING_OK]);
	assert_int_equal(0, findings.count[FINDING_WARN]);
	assert_int_equal(2, findings.count[FINDING_FAIL]);
	assert_int_equal(1, findings.count[FINDING_SKIPPED]);
	assert_non_null(strstr(buf_text(&findings.json), "[{\n  \"look\": \"tpm\",\n"
							 "  \"kind\": \"ok\",\n"
							 "  \"text\": \"it is there\"\n}\n,{"));
	assert_non_null(strstr(buf_text(&findings.json), "\"who is \\\"x\\\"?\""));
	findings_free(&findings);
}

static void what_others_wrote_cannot_steer_a_terminal(void **state)
{
	struct findings findings;

	(void)state;
	findings_begin(&findings, true);
	finding(&findings, FINDING_WARN, "ek", "from \"%s\"", "a\x1b[2J\nok   policy b\xc3\xa4");
	assert_null(strchr(buf_text(&findings.json), '\x1b'));
	assert_null(strstr(buf_text(&findings.json), "\\u001b"));
	assert_non_null(strstr(buf_text(&findings.json), "a?[2J?ok   policy b??"));
	findings_free(&findings);
}

static void a_long_finding_is_cut(void **state)
{
	char text[3000];
	struct findings findings;

	(void)state;
	memset(text, 'q', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	findings_begin(&findings, true);
	finding(&findings, FINDING_WARN, "ek", "%s", text);
	assert_int_equal(1023, strspn(strchr(buf_text(&findings.json), 'q'), "q"));
	findings_free(&findings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(findings_are_counted_by_their_kind_and_kept_as_json),
		cmocka_unit_test(what_others_wrote_cannot_steer_a_terminal),
		cmocka_unit_test(a_long_finding_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
