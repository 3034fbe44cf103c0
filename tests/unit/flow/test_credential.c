#include "enroll/flow/credential.h"

#include "db/pool.h"
#include "tests/unit/check.h"

/* What is judged before any record is asked, and so without a database. */
static struct service service;
static const struct caller caller = {.now = 1800000000};

static int make(void **state)
{
	(void)state;
	assert_ok(db_open("host=/nowhere dbname=none", 1, 100, &service.db));
	memset(service.admin_token, 0xab, sizeof(service.admin_token));
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	db_close(&service.db);
	return 0;
}

#define TOKEN "abababababababababababababababababababababababababababababababab"

static enum err judge(struct credential credential)
{
	struct admitted admitted;

	return credential_judge(&service, &caller, &credential, &admitted);
}

static void the_token_of_the_file_is_good_without_a_database(void **state)
{
	const struct credential credential = {.token = TOKEN, .is_local = true};
	struct admitted admitted;

	(void)state;
	assert_ok(credential_judge(&service, &caller, &credential, &admitted));
	assert_int_equal(ROLE_ADMIN, admitted.role);
	assert_string_equal("admin-token", admitted.who);
	assert_int_equal(0, admitted.until);
}

static void any_other_token_is_asked_for_in_the_records(void **state)
{
	static const char other[] =
		"abababababababababababababababababababababababababababababababac";

	(void)state;
	assert_int_equal(ERR_BUSY, judge((struct credential){.token = other, .is_local = true}));
	/* Through an edge it is as any other. */
	assert_int_equal(ERR_BUSY, judge((struct credential){.token = TOKEN}));
}

static void what_is_no_token_is_not_asked_for(void **state)
{
	static const char *const bad[] = {"", "ab", (TOKEN "ab"), (TOKEN " "), ("x" TOKEN)};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_refused_in(bad[i],
			judge((struct credential){.token = bad[i], .is_local = true}), ERR_UNPROVEN,
			"token-unknown");
}

static void without_an_admin_ca_a_certificate_lets_nobody_in(void **state)
{
	(void)state;
	assert_refused(judge((struct credential){.certificate = view_str("0")}), ERR_DENIED,
		"not-an-operator");
}

static void nobody_and_somebody_twice_are_refused(void **state)
{
	(void)state;
	assert_refused(
		judge((struct credential){.is_local = true}), ERR_UNPROVEN, "credential-missing");
	assert_refused(judge((struct credential){
			       .certificate = view_str("0"), .token = TOKEN, .is_local = true}),
		ERR_MALFORMED, "credential-twice");
}

static void each_role_has_what_those_before_it_have(void **state)
{
	(void)state;
	for (enum role is = ROLE_AUDITOR; is <= ROLE_ADMIN; is++)
		for (enum role wanted = ROLE_AUDITOR; wanted <= ROLE_ADMIN; wanted++) {
			const struct admitted admitted = {.role = is, .who = "operator:x"};

			if (is >= wanted)
				assert_ok(admitted_has(&admitted, wanted));
			else
				assert_refused(admitted_has(&admitted, wanted), ERR_DENIED,
					"role-insufficient");
		}
}

static void only_the_three_words_are_roles(void **state)
{
	static const char *const bad[] = {"", "Admin", "admin ", "root", "auditors"};
	enum role role;

	(void)state;
	for (int i = 0; role_words[i] != NULL; i++) {
		assert_ok(role_read(role_words[i], &role));
		assert_int_equal(i, role);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_refused_in(bad[i], role_read(bad[i], &role), ERR_MALFORMED, "role-unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_token_of_the_file_is_good_without_a_database),
		cmocka_unit_test(any_other_token_is_asked_for_in_the_records),
		cmocka_unit_test(what_is_no_token_is_not_asked_for),
		cmocka_unit_test(without_an_admin_ca_a_certificate_lets_nobody_in),
		cmocka_unit_test(nobody_and_somebody_twice_are_refused),
		cmocka_unit_test(each_role_has_what_those_before_it_have),
		cmocka_unit_test(only_the_three_words_are_roles),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
