#include "asker.h"
#include "database.h"
#include "db/bar.h"
#include "standing.h"

#include <string.h>

#define HOST "web-1.example.org"

static void a_name_is_taken_from_every_device_and_kept_from_all(void **state)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};
	struct attempt a = standing_device(*state, 1, HOST), b, c = attempt_of(*state, 3, HOST);
	uint8_t device_id[DEVICE_ID_SIZE];

	assert_int_equal(OK, host_unbind(*state, HOST, &standing_admin, device_id));
	b = standing_device(*state, 2, HOST);
	assert_int_equal(OK, host_revoke(*state, HOST, "keyCompromise", &standing_admin, &reached));
	assert_int_equal(4, reached.x509);
	assert_int_equal(2, reached.ssh_host);
	assert_int_equal(2, reached.devices);
	assert_int_equal(1, reached.names);
	assert_int_equal(0, standing_certificates());
	assert_int_equal(3, standing_behind());
	assert_int_equal(2, database_count("SELECT count(*) FROM device WHERE state = 'active'"));
	attempt_once(&c);
	assert_int_equal(ERR_CONFLICT, c.err);
	assert_string_equal("database-moved", c.code);
	assert_true(c.facts.host_barred);
	reached_free(&reached);
	assert_int_equal(
		ERR_CONFLICT, host_revoke(*state, HOST, "superseded", &standing_admin, &reached));
	assert_string_equal("already-revoked", why()->code);
	assert_non_null(strstr(why()->sentence, "since 2027-01-15T08:00:10Z, by admin-token "
						"(keyCompromise): stolen from line 4"));
	enrollment_facts_free(&a.facts);
	enrollment_facts_free(&b.facts);
	enrollment_facts_free(&c.facts);
}

static void a_name_that_is_reinstated_goes_to_who_comes(void **state)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};
	struct attempt a = attempt_of(*state, 1, HOST);

	assert_int_equal(ERR_CONFLICT, host_reinstate(*state, HOST, &standing_admin, &reached));
	assert_string_equal("not-revoked", why()->code);
	assert_int_equal(OK, host_revoke(*state, HOST, "keyCompromise", &standing_admin, &reached));
	assert_int_equal(0, reached.x509 + reached.names);
	reached_free(&reached);
	assert_int_equal(OK, host_reinstate(*state, HOST, &standing_admin, &reached));
	attempt_enroll(&a);
	assert_int_equal(2, database_count("SELECT count(*) FROM audit WHERE host = '" HOST
					   "' AND event LIKE 'host.re%'"));
	enrollment_facts_free(&a.facts);
}

static void a_name_that_is_retired_is_free(void **state)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};
	struct attempt a = standing_device(*state, 1, HOST), b = attempt_of(*state, 2, HOST);

	assert_int_equal(
		OK, host_retire(*state, HOST, "cessationOfOperation", &standing_admin, &reached));
	assert_int_equal(2, reached.x509);
	assert_int_equal(0, standing_certificates());
	attempt_enroll(&b);
	reached_free(&reached);
	assert_int_equal(ERR_NOT_FOUND, host_retire(*state, "nobodys.example.org", "superseded",
						&standing_admin, &reached));
	assert_string_equal("host-unknown", why()->code);
	enrollment_facts_free(&a.facts);
	enrollment_facts_free(&b.facts);
}

static void attempts_for_a_revoked_name_are_gone(void **state)
{
	AUTO(reached_free) struct reached reached = {.x509 = 0};
	struct asker asker, other;

	asker_init(&asker, *state, 1, HOST);
	asker_hold(&asker);
	asker_init(&other, *state, 2, "other.example.org");
	asker_hold(&other);
	assert_int_equal(OK, host_revoke(*state, HOST, "keyCompromise", &standing_admin, &reached));
	assert_int_equal(1, reached.attempts);
	assert_int_equal(1, database_count("SELECT count(*) FROM pending"));
}

#define TEST(f) cmocka_unit_test_setup(f, standing_none)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_name_is_taken_from_every_device_and_kept_from_all),
		TEST(a_name_that_is_reinstated_goes_to_who_comes),
		TEST(a_name_that_is_retired_is_free),
		TEST(attempts_for_a_revoked_name_are_gone),
	};

	return cmocka_run_group_tests(tests, database_migrated, database_close);
}
