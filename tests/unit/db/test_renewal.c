#include "db/renewal.h"

#include "attempt.h"
#include "ca/base/crypt.h"
#include "database.h"
#include "db/published.h"

#include <string.h>

static void look(const struct attempt *attempt, const char *host, struct renewal_facts *facts)
{
	if (renewal_lookup(attempt->db, VIEW(attempt->ak_name), host, facts) != OK)
		fail_msg("%s: %s", why()->code, why()->sentence);
}

static void an_ak_that_nobody_enrolled_is_not_known(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	AUTO(renewal_facts_free) struct renewal_facts facts;

	look(&a, "a.example.org", &facts);
	assert_false(facts.ak_known || facts.host_is_ours || facts.ek_recorded);
}

static void what_a_renewal_judges_is_what_the_device_enrolled_with(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	AUTO(renewal_facts_free) struct renewal_facts facts;

	attempt_enroll(&a);
	look(&a, "a.example.org", &facts);
	assert_true(facts.ak_known && facts.host_is_ours && facts.ek_recorded);
	attempt_lookup(&a);
	assert_memory_equal(a.facts.device_id, facts.device_id, DEVICE_ID_SIZE);
	assert_int_equal(NOW, facts.proven_at);
	assert_true(facts.ek_public.n > 0 && facts.ek_certificate.n > 0);
	enrollment_facts_free(&a.facts);
}

static void a_chain_comes_back_in_its_order(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	AUTO(renewal_facts_free) struct renewal_facts facts;

	attempt_enroll(&a);
	database_do("UPDATE ek SET certificate = NULL, chain = '{one,two,three,four,five,six,seven,"
		    "eight}'::text[]::bytea[]");
	look(&a, "a.example.org", &facts);
	assert_int_equal(0, facts.ek_certificate.n);
	assert_int_equal(8, facts.chain_n);
	assert_true(view_equal(view_str("one"), buf_view(&facts.chain[0])));
	assert_true(view_equal(view_str("eight"), buf_view(&facts.chain[7])));
	enrollment_facts_free(&a.facts);
}

static void each_thing_that_keeps_a_renewal_away_is_told(void **state)
{
	static const struct {
		const char *change;
		bool ak_known, ek_recorded, host_is_ours;
	} rows[] = {
		{"UPDATE ak SET dialect = 'other'", false, false, false},
		{"UPDATE ak SET ek_digest = NULL", true, false, true},
		{"UPDATE ek SET public = NULL", true, false, true},
		{"DELETE FROM host", true, true, false},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct attempt a = attempt_of(*state, (unsigned)i + 1, "a.example.org");
		AUTO(renewal_facts_free) struct renewal_facts facts;

		attempt_enroll(&a);
		database_do(rows[i].change);
		look(&a, "a.example.org", &facts);
		assert_int_equal(rows[i].ak_known, facts.ak_known);
		assert_int_equal(rows[i].ek_recorded, facts.ek_recorded);
		assert_int_equal(rows[i].host_is_ours, facts.host_is_ours);
		database_do("DELETE FROM host");
		enrollment_facts_free(&a.facts);
	}
}

static void the_name_of_another_device_is_not_ours(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	struct attempt b = attempt_of(*state, 2, "b.example.org");
	AUTO(renewal_facts_free) struct renewal_facts facts;

	attempt_enroll(&a);
	attempt_enroll(&b);
	look(&a, "b.example.org", &facts);
	assert_true(facts.ak_known);
	assert_false(facts.host_is_ours);
	enrollment_facts_free(&a.facts);
	enrollment_facts_free(&b.facts);
}

/* From before there was a column for it. */
static void an_ak_without_a_time_was_proven_when_it_was_made(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	AUTO(renewal_facts_free) struct renewal_facts facts;

	attempt_enroll(&a);
	database_do("UPDATE ak SET proven_at = NULL, created_at = to_timestamp(1700000000)");
	look(&a, "a.example.org", &facts);
	assert_int_equal(1700000000, facts.proven_at);
	enrollment_facts_free(&a.facts);
}

static void a_certificate_is_published_by_its_digest_revoked_or_not(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	uint8_t digest[32];

	attempt_enroll(&a);
	attempt_anew(&a);
	attempt_lookup(&a);
	assert_int_equal(OK, SHA256_OF(digest, buf_view(&a.facts.certificates[0].der)));
	for (int i = 0; i < 2; i++) {
		AUTO(buf_free) struct buf der = BUF(65536);

		assert_int_equal(OK, certificate_published(*state, digest, &der));
		assert_true(view_equal(buf_view(&der), buf_view(&a.facts.certificates[0].der)));
		database_do("UPDATE certificate SET revoked_at = now(), revocation_reason = "
			    "'keyCompromise'");
	}
	enrollment_facts_free(&a.facts);
}

static void what_is_no_x509_certificate_of_ours_is_not_published(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	AUTO(buf_free) struct buf der = BUF(65536);
	uint8_t digest[32] = {0};

	attempt_enroll(&a);
	attempt_anew(&a);
	attempt_lookup(&a);
	assert_int_equal(ERR_NOT_FOUND, certificate_published(*state, digest, &der));
	assert_string_equal("certificate-unknown", why()->code);
	assert_int_equal(OK, SHA256_OF(digest, buf_view(&a.facts.certificates[0].der)));
	database_do("UPDATE certificate SET kind = 'ssh-host'");
	assert_int_equal(ERR_NOT_FOUND, certificate_published(*state, digest, &der));
	assert_int_equal(0, der.n);
	enrollment_facts_free(&a.facts);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_migrated, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_ak_that_nobody_enrolled_is_not_known),
		TEST(what_a_renewal_judges_is_what_the_device_enrolled_with),
		TEST(a_chain_comes_back_in_its_order),
		TEST(each_thing_that_keeps_a_renewal_away_is_told),
		TEST(the_name_of_another_device_is_not_ours),
		TEST(an_ak_without_a_time_was_proven_when_it_was_made),
		TEST(a_certificate_is_published_by_its_digest_revoked_or_not),
		TEST(what_is_no_x509_certificate_of_ours_is_not_published),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
