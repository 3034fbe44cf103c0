#include "enroll/proto/finding.h"
#include "tests/unit/check.h"

#include <stdlib.h>
#include <string.h>

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
		cmocka_unit_test(findings_are_counted_cut_and_printable),
		cmocka_unit_test(a_failure_beyond_what_fits_is_still_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
