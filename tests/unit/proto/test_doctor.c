#include "enroll/proto/doctor.h"
#include "faults.h"

#include <stdlib.h>
#include <string.h>

#define ANSWER                                                                                     \
	"{\"service\":\"https://endorse.example.org\","                                            \
	"\"findings\":[{\"area\":\"ca\",\"level\":\"warn\",\"text\":\"it ends\"}]}"

static struct doctor_answer answer; /* 80 KiB */

static enum err parse(struct view json)
{
	return doctor_answer_parse(json, &answer);
}

static void what_is_read_is_written_again(void **state)
{
	AUTO(buf_free) struct buf json = BUF(4096);

	(void)state;
	assert_int_equal(OK, parse(view_str(ANSWER)));
	assert_int_equal(1, answer.findings.n);
	assert_string_equal("ca", answer.findings.item[0].area);
	assert_int_equal(FINDING_WARN, answer.findings.item[0].level);
	assert_string_equal("it ends", answer.findings.item[0].text);
	assert_int_equal(OK, doctor_answer_encode(&answer, &json));
	assert_string_equal(ANSWER, buf_text(&json));
}

static void each_member_has_its_type_and_limit(void **state)
{
	(void)state;
	try_text(ANSWER, parse);
	try_unknown_key(&(struct place){ANSWER, "", parse});
	try_unknown_key(&(struct place){ANSWER, "findings/0", parse});
	try_member(&(struct place){ANSWER, "service", parse}, JSON_STRING, true);
	try_member(&(struct place){ANSWER, "findings", parse}, JSON_ARRAY, true);
	try_entry(&(struct place){ANSWER, "findings/0", parse}, JSON_OBJECT);
	try_member(&(struct place){ANSWER, "findings/0/area", parse}, JSON_STRING, true);
	try_member(&(struct place){ANSWER, "findings/0/level", parse}, JSON_STRING, true);
	try_member(&(struct place){ANSWER, "findings/0/text", parse}, JSON_STRING, true);
	try_string(&(struct place){ANSWER, "service", parse}, LIMIT_SERVICE);
	try_string(&(struct place){ANSWER, "findings/0/area", parse}, 31);
	try_string(&(struct place){ANSWER, "findings/0/text", parse}, FINDING_TEXT - 1);
	try_length(&(struct place){ANSWER, "findings", parse}, FINDINGS_MAX, "field-too-long");
	try_value(&(struct place){ANSWER, "findings/0/level", parse}, json_string("well"),
		ERR_MALFORMED, "json-type");
}

static void findings_are_counted_cut_and_printable(void **state)
{
	struct findings *findings = calloc(1, sizeof(*findings));
	char longer[2 * FINDING_TEXT];

	(void)state;
	assert_non_null(findings);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	finding_add(findings, "files", FINDING_FAIL, "a \x1b[2J %s", longer);
	assert_int_equal(FINDING_TEXT - 1, strlen(findings->item[0].text));
	assert_memory_equal("a ?[2J xx", findings->item[0].text, 9);
	for (size_t i = 0; i < 2 * FINDINGS_MAX; i++)
		finding_add(findings, "files", FINDING_OK, "well");
	assert_int_equal(FINDINGS_MAX, findings->n);
	assert_int_equal(1, findings_count(findings, FINDING_FAIL));
	assert_int_equal(1, findings_count(findings, FINDING_WARN));
	assert_string_equal("there is more than fits here", findings->item[FINDINGS_MAX - 1].text);
	free(findings);
}

static void a_failure_beyond_what_fits_is_still_a_failure(void **state)
{
	struct findings *findings = calloc(1, sizeof(*findings));

	(void)state;
	assert_non_null(findings);
	for (size_t i = 0; i < FINDINGS_MAX; i++)
		finding_add(findings, "trust", FINDING_WARN, "a root that ended");
	assert_int_equal(0, findings_count(findings, FINDING_FAIL));
	finding_add(findings, "files", FINDING_FAIL, "a secret that others can reach");
	finding_add(findings, "files", FINDING_OK, "well");
	assert_int_equal(FINDINGS_MAX, findings->n);
	assert_int_equal(1, findings_count(findings, FINDING_FAIL));
	assert_string_equal("doctor", findings->item[FINDINGS_MAX - 1].area);
	assert_non_null(strstr(findings->item[FINDINGS_MAX - 1].text, "some of it fails"));
	free(findings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_read_is_written_again),
		cmocka_unit_test(each_member_has_its_type_and_limit),
		cmocka_unit_test(findings_are_counted_cut_and_printable),
		cmocka_unit_test(a_failure_beyond_what_fits_is_still_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
