#include "enroll/agent/diagnosis.h"
#include "tests/unit/check.h"

#include <string.h>

static void findings_are_counted_by_their_level_and_kept_as_json(void **state)
{
	struct diagnosis diagnosis;

	(void)state;
	diagnosis_begin(&diagnosis, true);
	diagnosis_add(&diagnosis, FINDING_OK, "tpm", "it is %s", "there");
	diagnosis_add(&diagnosis, FINDING_FAIL, "tls", "who is \"%s\"?", "x");
	diagnosis_add(&diagnosis, FINDING_FAIL, "policy", "no");
	diagnosis_add(&diagnosis, FINDING_SKIPPED, "service", "-");
	assert_int_equal(1, diagnosis.count[FINDING_OK]);
	assert_int_equal(0, diagnosis.count[FINDING_WARN]);
	assert_int_equal(2, diagnosis.count[FINDING_FAIL]);
	assert_int_equal(1, diagnosis.count[FINDING_SKIPPED]);
	assert_non_null(strstr(buf_text(&diagnosis.json), "[{\n  \"area\": \"tpm\",\n"
							  "  \"level\": \"ok\",\n"
							  "  \"text\": \"it is there\"\n}\n,{"));
	assert_non_null(strstr(buf_text(&diagnosis.json), "\"who is \\\"x\\\"?\""));
	diagnosis_free(&diagnosis);
}

static void what_others_wrote_cannot_steer_a_terminal(void **state)
{
	struct diagnosis diagnosis;

	(void)state;
	diagnosis_begin(&diagnosis, true);
	diagnosis_add(
		&diagnosis, FINDING_WARN, "ek", "from \"%s\"", "a\x1b[2J\nok   policy b\xc3\xa4");
	assert_null(strchr(buf_text(&diagnosis.json), '\x1b'));
	assert_null(strstr(buf_text(&diagnosis.json), "\\u001b"));
	assert_non_null(strstr(buf_text(&diagnosis.json), "a?[2J?ok   policy b??"));
	diagnosis_free(&diagnosis);
}

static void a_long_finding_is_cut(void **state)
{
	char text[3000];
	struct diagnosis diagnosis;

	(void)state;
	memset(text, 'q', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	diagnosis_begin(&diagnosis, true);
	diagnosis_add(&diagnosis, FINDING_WARN, "ek", "%s", text);
	assert_int_equal(1023, strspn(strchr(buf_text(&diagnosis.json), 'q'), "q"));
	diagnosis_free(&diagnosis);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(findings_are_counted_by_their_level_and_kept_as_json),
		cmocka_unit_test(what_others_wrote_cannot_steer_a_terminal),
		cmocka_unit_test(a_long_finding_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
