#include "enroll/agent/report.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

/* What report_refusal() writes; for free(). */
static char *refusal_text(const struct attempt *attempt)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	assert_non_null(out);
	report_refusal(out, attempt);
	fclose(out);
	return text;
}

static void a_refusal_says_what_happened_to_whom_and_what_to_do(void **state)
{
	const struct wish wish = {.server = "https://ca.example.org", .host = "web.example.org"};
	const struct attempt attempt = {.wish = &wish,
		.problem = {.code = "name-not-allowed",
			.detail = "no rule\x1b[2J",
			.reason = "rule web",
			.request_id = "r-1"}};
	AUTO(mem_free) char *text = refusal_text(&attempt);

	(void)state;
	assert_non_null(strstr(text, "https://ca.example.org refused"));
	assert_non_null(strstr(text, "web.example.org"));
	assert_non_null(strstr(text, "no rule?[2J"));
	assert_non_null(strstr(text, "name-not-allowed"));
	assert_non_null(strstr(text, "r-1"));
	assert_non_null(strstr(text, "check --host"));
	assert_null(strstr(text, "note"));
}

static void after_a_change_of_eks_a_refusal_names_the_one_before(void **state)
{
	const struct wish wish = {.server = "https://ca.example.org", .host = "web.example.org"};
	struct device_ek ek = {.template = ek_template_find("p384")};
	AUTO(state_close) struct state *directory = NULL;
	const struct attempt attempt = {.wish = &wish,
		.ek = &ek,
		.another_ek = true,
		.before = {.ek_template = "L-1", .host = "web.example.org"},
		.problem = {.code = "host-bound-to-another-device", .detail = "taken"}};
	struct attempt with_state = attempt;
	AUTO(mem_free) char *text = NULL, *of_another_tpm = NULL;

	(void)state;
	assert_int_equal(OK, state_open_readonly("/", &directory));
	with_state.state = directory;
	text = refusal_text(&with_state);
	assert_non_null(strstr(text, "try --ek L-1"));
	ek.template = ek_template_find("L-1");
	of_another_tpm = refusal_text(&with_state);
	assert_non_null(strstr(of_another_tpm, "this is another TPM"));
	assert_null(strstr(of_another_tpm, "try --ek"));
}

/* What the operator allows an EK by, or compares, has to be told. */
static void the_digest_of_the_ek_is_told(void **state)
{
	const struct wish wish = {.server = "https://ca.example.org"};
	struct device_ek ek = {.template = ek_template_find("L-1"), .sha256 = "abcdef01"};
	const struct attempt attempt = {.wish = &wish,
		.ek = &ek,
		.problem = {.code = "ek-certificate-missing", .detail = "none"}};
	AUTO(mem_free) char *bare = refusal_text(&attempt), *certified = NULL;

	(void)state;
	ek.certificate = BUF(8);
	buf_u8(&ek.certificate, 0x30);
	certified = refusal_text(&attempt);
	buf_free(&ek.certificate);
	assert_non_null(strstr(bare, "abcdef01"));
	assert_non_null(strstr(bare, "endorsectl ek allow add"));
	assert_non_null(strstr(bare, "refused to enroll this machine\n"));
	assert_non_null(strstr(certified, "abcdef01"));
}

static void a_code_that_is_not_known_has_no_advice(void **state)
{
	(void)state;
	assert_string_equal("", refusal_advice("no-such-code"));
	assert_string_equal("", refusal_advice(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_refusal_says_what_happened_to_whom_and_what_to_do),
		cmocka_unit_test(after_a_change_of_eks_a_refusal_names_the_one_before),
		cmocka_unit_test(the_digest_of_the_ek_is_told),
		cmocka_unit_test(a_code_that_is_not_known_has_no_advice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
