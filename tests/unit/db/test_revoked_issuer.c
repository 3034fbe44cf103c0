#include "database.h"
#include "db/behind.h"
#include "db/revoked_issuer.h"
#include "standing.h"

#include <string.h>

#define ID "0707070707070707"

static void a_revoked_ca_counts_at_once_and_its_certificates_follow(void **state)
{
	struct attempt a = standing_device(*state, 1, "a.example.org");
	struct attempt b = standing_device(*state, 2, "b.example.org");
	struct issuer_state issuer;
	bool more = true;

	assert_int_equal(OK, revoked_issuer_round(*state, NOW + 10, 3, &more));
	assert_false(more);
	assert_int_equal(6, standing_certificates());
	assert_int_equal(OK, issuer_judge(*state, standing_issuer));
	assert_int_equal(OK, issuer_revoke(*state, ID, "cACompromise", &standing_admin, &issuer));
	assert_memory_equal(standing_issuer, issuer.issuer_id, DIGEST_SIZE);
	assert_int_equal(4, issuer.remaining);
	assert_int_equal(ERR_BUSY, issuer_judge(*state, standing_issuer));
	assert_string_equal("ca-revoked", why()->code);
	assert_int_equal(2, database_count("SELECT count(*) FROM certificate_in_force"));
	assert_int_equal(OK, revoked_issuer_round(*state, NOW + 10, 3, &more));
	assert_true(more);
	assert_int_equal(3, standing_certificates());
	assert_int_equal(OK, revoked_issuer_round(*state, NOW + 10, 3, &more));
	assert_true(more);
	assert_int_equal(OK, revoked_issuer_round(*state, NOW + 10, 3, &more));
	assert_false(more);
	assert_int_equal(2, standing_certificates());
	assert_int_equal(4, database_count("SELECT count(*) FROM certificate WHERE revoked_with ="
					   " 'ca-key' AND revocation_reason = 'cACompromise' AND"
					   " revoked_at = to_timestamp(1800000010)"));
	assert_int_equal(2, standing_behind());
	enrollment_facts_free(&a.facts);
	enrollment_facts_free(&b.facts);
}

/* Of 30 MB, so that not all of them are looked at. */
static void very_many_certificates_are_about_counted(void **state)
{
	struct attempt a = standing_device(*state, 1, "a.example.org");
	struct issuer_state issuer, all[ISSUERS_MAX];
	size_t n = 0;

	database_do(
		"INSERT INTO certificate (serial, device_id, host, binding, ak_name, template,"
		" template_version, grant_digest, place, der, not_before, not_after, issued_at,"
		" trust_version, policy_version, issuer)"
		" SELECT int8send(4611686018427387904 + i), device_id, host, binding, ak_name,"
		" template, template_version, grant_digest, place,"
		" convert_to(repeat(md5(i::text), 30), 'UTF8'), not_before, not_after,"
		" issued_at - interval '1 year', trust_version, policy_version, issuer"
		" FROM (SELECT * FROM certificate WHERE issuer = decode(repeat('07', 32), 'hex')"
		"  LIMIT 1) AS one, generate_series(1, 40000) AS i");
	assert_in_range(
		database_count("SELECT pg_relation_size('certificate')"), 20 << 20, 1 << 30);
	assert_int_equal(OK, issuer_revoke(*state, ID, "cACompromise", &standing_admin, &issuer));
	assert_in_range(issuer.remaining, 30000, 50000);
	assert_int_equal(OK, issuers_read(*state, NOW, all, &n));
	for (size_t i = 0; i < n; i++)
		if (memcmp(all[i].issuer_id, issuer.issuer_id, DIGEST_SIZE) == 0)
			assert_in_range(all[i].remaining, 30000, 50000);
	enrollment_facts_free(&a.facts);
}

static void a_certificate_of_a_revoked_ca_is_not_recorded(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	struct issuer_state issuer;

	a.issuer = standing_issuer;
	attempt_lookup(&a);
	assert_false(a.facts.ca_revoked);
	assert_int_equal(OK, issuer_revoke(*state, ID, "cACompromise", &standing_admin, &issuer));
	assert_int_equal(ERR_CONFLICT, attempt_record(&a));
	assert_string_equal("database-moved", why()->code);
	attempt_lookup(&a);
	assert_true(a.facts.ca_revoked);
	assert_memory_equal(standing_issuer, a.facts.revoked_ca, DIGEST_SIZE);
	enrollment_facts_free(&a.facts);
}

static void which_ca_and_what_became_of_it_is_told(void **state)
{
	struct issuer_state issuer, all[ISSUERS_MAX];
	size_t n = 0;

	assert_int_equal(ERR_NOT_FOUND,
		issuer_revoke(*state, "09", "cACompromise", &standing_admin, &issuer));
	assert_string_equal("issuer-unknown", why()->code);
	assert_int_equal(ERR_NOT_FOUND,
		issuer_revoke(*state, "0", "cACompromise", &standing_admin, &issuer));
	assert_string_equal("issuer-unknown", why()->code);
	assert_int_equal(OK, issuer_revoke(*state, "08", "superseded", &standing_admin, &issuer));
	assert_int_equal(1, standing_behind());
	assert_int_equal(
		ERR_CONFLICT, issuer_revoke(*state, "08", "superseded", &standing_admin, &issuer));
	assert_string_equal("already-revoked", why()->code);
	assert_int_equal(OK, issuers_read(*state, NOW, all, &n));
	assert_int_equal(2, n);
	assert_string_equal("ssh-host", all[1].kind);
	assert_int_equal(NOW + 10, all[1].revoked_at);
	assert_string_equal("admin-token", all[1].by);
	assert_string_equal("stolen from line 4", all[1].why);
	assert_int_equal(0, all[0].revoked_at);
	assert_int_equal(1, database_count("SELECT count(*) FROM audit WHERE event = 'ca.revoked'"
					   " AND who = 'admin-token'"));
}

static void how_far_behind_crls_and_krl_are_is_told_of_all_and_of_one(void **state)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};
	struct attempt a = standing_device(*state, 1, "a.example.org");
	struct attempt b = standing_device(*state, 2, "b.example.org");
	const struct device_key all = {.host = NULL}, first = {.serial = VIEW(b.serial)},
				of_b = {.host = "b.example.org"};
	struct behind behind;

	assert_int_equal(OK, behind_read(*state, &all, NOW, &behind));
	assert_int_equal(2, behind.crls);
	assert_int_equal(0, behind.crls_behind);
	assert_int_equal(0, behind.crls_oldest);
	assert_int_equal(NOW + 7200, behind.crls_until);
	assert_false(behind.krl_behind);
	assert_int_equal(
		OK, device_revoke(*state, &of_b, "keyCompromise", &standing_admin, &reached));
	assert_int_equal(OK, behind_read(*state, &of_b, NOW, &behind));
	assert_int_equal(2, behind.crls_behind);
	assert_int_equal(NOW, behind.crls_oldest);
	assert_true(behind.krl_behind);
	assert_int_equal(OK, behind_read(*state, &first, NOW, &behind));
	assert_int_equal(1, behind.crls_behind);
	assert_int_equal(1, behind.crls);
	enrollment_facts_free(&a.facts);
	enrollment_facts_free(&b.facts);
}

#define TEST(f) cmocka_unit_test_setup(f, standing_none)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_revoked_ca_counts_at_once_and_its_certificates_follow),
		TEST(very_many_certificates_are_about_counted),
		TEST(a_certificate_of_a_revoked_ca_is_not_recorded),
		TEST(which_ca_and_what_became_of_it_is_told),
		TEST(how_far_behind_crls_and_krl_are_is_told_of_all_and_of_one),
	};

	return cmocka_run_group_tests(tests, database_migrated, database_close);
}
