#include "attempt.h"
#include "database.h"
#include "db/host.h"
#include "db/ticket.h"

#include <stdio.h>
#include <string.h>

static const struct act admin = {
	.who = "admin-token", .from = "::1", .reason = "moved", .now = NOW};

/* What a record writes, as one number for each table; all zero when nothing was written. */
static char *rows(void)
{
	return database_text("SELECT format('%s device %s ek %s host %s ak %s certificate %s ticket"
			     " %s audit', (SELECT count(*) FROM device), (SELECT count(*) FROM ek),"
			     " (SELECT count(*) FROM host), (SELECT count(*) FROM ak),"
			     " (SELECT count(*) FROM certificate), (SELECT count(*) FROM ticket),"
			     " (SELECT count(*) FROM audit))");
}

static void assert_rows(const char *wanted)
{
	AUTO(mem_free) char *found = rows();

	assert_string_equal(wanted, found);
}

static void assert_moved(enum err err)
{
	assert_int_equal(ERR_CONFLICT, err);
	assert_string_equal("database-moved", why()->code);
}

static void a_first_enrollment_writes_one_row_of_each(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	attempt_lookup(&a);
	assert_int_equal(OK, attempt_record(&a));
	assert_rows("1 device 1 ek 1 host 1 ak 1 certificate 1 ticket 1 audit");
	assert_int_equal(
		1, database_count("SELECT count(*) FROM audit JOIN device USING (device_id)"
				  " JOIN certificate ON certificate.serial = audit.serials[1]"
				  " WHERE event = 'enroll.issued' AND audit.host = 'a.example.org'"
				  " AND client_address = '2001:db8::1' AND request_id = 'r-1'"
				  " AND audit.trust_version = certificate.trust_version"
				  " AND audit.policy_version = certificate.policy_version"
				  " AND audit.trust_version = '00ff'"
				  " AND audit.policy_version = 'abcd'"
				  " AND extract(epoch FROM at) = 1800000000"));
	enrollment_facts_free(&a.facts);
}

static void a_record_made_on_an_older_revision_writes_nothing(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	attempt_enroll(&a);
	attempt_anew(&a);
	attempt_lookup(&a);
	database_do("UPDATE device SET revision = revision + 1");
	assert_moved(attempt_record(&a));
	assert_rows("1 device 1 ek 1 host 1 ak 1 certificate 1 ticket 1 audit");
	attempt_enroll(&a);
	assert_int_equal(3, database_count("SELECT revision FROM device"));
	enrollment_facts_free(&a.facts);
}

static void a_device_revoked_between_the_trips_gets_nothing(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	attempt_enroll(&a);
	attempt_anew(&a);
	attempt_lookup(&a);
	/* Even by somebody who forgot the revision. */
	database_do("UPDATE device SET state = 'revoked'");
	assert_moved(attempt_record(&a));
	assert_int_equal(1, database_count("SELECT count(*) FROM certificate"));
	enrollment_facts_free(&a.facts);
}

static void a_name_unbound_between_the_trips_is_not_certified(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	uint8_t device_id[DEVICE_ID_SIZE];

	attempt_enroll(&a);
	attempt_anew(&a);
	attempt_lookup(&a);
	assert_int_equal(OK, host_unbind(*state, "a.example.org", &admin, device_id));
	assert_moved(attempt_record(&a));
	assert_int_equal(1, database_count("SELECT count(*) FROM certificate"));
	enrollment_facts_free(&a.facts);
}

static void a_certificate_revoked_between_the_trips_is_not_returned(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	attempt_enroll(&a);
	attempt_anew(&a);
	a.certificates_n = 0;
	attempt_lookup(&a);
	database_do("UPDATE certificate SET revoked_at = now(), revocation_reason = 'unspecified'");
	assert_moved(attempt_record(&a));
	assert_int_equal(1, database_count("SELECT count(*) FROM ticket"));
	enrollment_facts_free(&a.facts);
}

static void returning_what_was_issued_uses_the_ticket_and_issues_nothing(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	a.certificates_n = 2;
	attempt_enroll(&a);
	attempt_anew(&a);
	a.certificates_n = 0;
	attempt_lookup(&a);
	assert_int_equal(OK, attempt_record(&a));
	assert_rows("1 device 1 ek 1 host 1 ak 2 certificate 2 ticket 2 audit");
	assert_int_equal(1, database_count("SELECT count(*) FROM audit"
					   " WHERE event = 'enroll.returned'"));
	attempt_lookup(&a);
	assert_true(a.facts.ticket_used);
	assert_int_equal(2, a.facts.certificates_n);
	enrollment_facts_free(&a.facts);
}

static void an_answer_may_be_of_recorded_and_of_new_certificates_in_their_order(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	attempt_enroll(&a);
	attempt_anew(&a);
	a.certificates_n = 2;
	a.stored_n = 1;
	a.grant_digest[0] ^= 1;
	attempt_enroll(&a);
	assert_rows("1 device 1 ek 1 host 1 ak 3 certificate 2 ticket 2 audit");
	attempt_lookup(&a);
	assert_true(a.facts.ticket_used && !a.facts.ticket_revoked);
	assert_int_equal(3, a.facts.certificates_n);
	assert_memory_not_equal(a.grant_digest, a.facts.grant_digest[0], DIGEST_SIZE);
	assert_memory_equal(a.grant_digest, a.facts.grant_digest[1], DIGEST_SIZE);
	assert_string_equal("ak", a.facts.certificates[1].template);
	assert_string_equal("tls", a.facts.certificates[2].template);
	enrollment_facts_free(&a.facts);
}

static void nothing_new_is_recorded_beside_what_was_revoked_meanwhile(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	attempt_enroll(&a);
	attempt_anew(&a);
	a.stored_n = 1;
	a.grant_digest[0] ^= 1;
	attempt_lookup(&a);
	database_do("UPDATE certificate SET revoked_at = now(), revocation_reason = 'unspecified'");
	assert_moved(attempt_record(&a));
	assert_rows("1 device 1 ek 1 host 1 ak 1 certificate 1 ticket 1 audit");
	enrollment_facts_free(&a.facts);
}

static void what_certificates_are_for_and_what_an_ek_came_with_is_recorded(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	a.certificates_n = 2;
	attempt_enroll(&a);
	assert_int_equal(
		1, database_count("SELECT count(*) FROM certificate WHERE kind = 'x509'"
				  " AND key_kind = 'certified' AND key_sha256 IS NOT NULL"));
	assert_int_equal(1, database_count("SELECT count(*) FROM ek WHERE public IS NOT NULL"
					   " AND cardinality(chain) = 2"));
	assert_int_equal(1, database_count("SELECT count(*) FROM ak JOIN ek USING (ek_digest)"
					   " WHERE proven_at = to_timestamp(1800000000)"));
	enrollment_facts_free(&a.facts);
}

static void a_renewal_proves_no_ek_and_says_so_in_the_records(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	attempt_enroll(&a);
	database_do("UPDATE ek SET public = NULL, chain = NULL");
	attempt_anew(&a);
	a.now += 100;
	a.is_renewal = true;
	attempt_enroll(&a);
	assert_int_equal(1, database_count("SELECT count(*) FROM ek WHERE public IS NULL"));
	assert_int_equal(1, database_count("SELECT count(*) FROM ak"
					   " WHERE proven_at = to_timestamp(1800000000)"));
	attempt_anew(&a);
	a.is_renewal = false;
	attempt_enroll(&a);
	assert_int_equal(1, database_count("SELECT count(*) FROM ek WHERE public IS NOT NULL"));
	assert_int_equal(1, database_count("SELECT count(*) FROM ak"
					   " WHERE proven_at = to_timestamp(1800000100)"));
	enrollment_facts_free(&a.facts);
}

static void a_record_of_no_certificate_is_our_fault(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	a.certificates_n = 0;
	attempt_lookup(&a);
	assert_int_equal(ERR_INTERNAL, attempt_record(&a));
	assert_rows("0 device 0 ek 0 host 0 ak 0 certificate 0 ticket 0 audit");
	enrollment_facts_free(&a.facts);
}

static void a_second_ek_with_a_known_ak_joins_the_device(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	attempt_enroll(&a);
	attempt_anew(&a);
	attempt_use_ek(&a, 77);
	attempt_enroll(&a);
	assert_rows("1 device 2 ek 1 host 1 ak 2 certificate 2 ticket 2 audit");
	attempt_anew(&a);
	attempt_use_ak(&a, 78);
	attempt_enroll(&a);
	assert_rows("1 device 2 ek 1 host 2 ak 3 certificate 3 ticket 3 audit");
	enrollment_facts_free(&a.facts);
}

static void an_ak_is_not_taken_over_by_another_device(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	struct attempt b = attempt_of(*state, 2, "b.example.org");

	attempt_lookup(&b);
	attempt_use_ak(&a, 2);
	attempt_enroll(&a);
	assert_moved(attempt_record(&b));
	assert_rows("1 device 1 ek 1 host 1 ak 1 certificate 1 ticket 1 audit");
	enrollment_facts_free(&a.facts);
	enrollment_facts_free(&b.facts);
}

/* No two devices can have one ticket, for it is made for one EK. If they had: */
static void a_ticket_that_another_device_used_is_used(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	struct attempt b = attempt_of(*state, 2, "b.example.org");

	memcpy(b.ticket_digest, a.ticket_digest, DIGEST_SIZE);
	attempt_lookup(&b);
	attempt_enroll(&a);
	assert_moved(attempt_record(&b));
	attempt_lookup(&b);
	assert_true(b.facts.ticket_used);
	enrollment_facts_free(&a.facts);
	enrollment_facts_free(&b.facts);
}

static void an_ek_that_another_device_got_between_the_trips_stays_there(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	struct attempt b = attempt_of(*state, 2, "b.example.org");

	attempt_enroll(&a);
	attempt_anew(&a);
	attempt_use_ek(&a, 2); /* a second EK of the first device, */
	attempt_lookup(&a);
	attempt_enroll(&b); /* which meanwhile makes a device of its own */
	assert_moved(attempt_record(&a));
	attempt_lookup(&a);
	assert_true(a.facts.ek_known && a.facts.ak_of_other_device);
	assert_int_equal(
		1, database_count("SELECT revision FROM device ORDER BY revision LIMIT 1"));
	enrollment_facts_free(&a.facts);
	enrollment_facts_free(&b.facts);
}

static void a_device_has_one_name_that_is_no_alias(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	attempt_enroll(&a);
	attempt_anew(&a);
	a.host = "b.example.org";
	attempt_lookup(&a);
	assert_int_equal(1, a.facts.device_hosts);
	assert_moved(attempt_record(&a));
	a.host_alias = true;
	attempt_enroll(&a);
	attempt_lookup(&a);
	assert_int_equal(2, a.facts.device_hosts);
	enrollment_facts_free(&a.facts);
}

static void the_oldest_aks_beyond_the_limit_are_superseded(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	a.live_aks_max = 2;
	for (unsigned i = 0; i < 4; i++) {
		attempt_anew(&a);
		attempt_use_ak(&a, 10 + i);
		a.now = NOW + i / 2; /* two in one second */
		attempt_enroll(&a);
		attempt_lookup(&a);
		assert_true(a.facts.ak_live);
		assert_int_equal(i == 0 ? 1 : 2,
			database_count("SELECT count(*) FROM ak WHERE state = 'live'"));
	}
	attempt_use_ak(&a, 10);
	attempt_anew(&a);
	attempt_lookup(&a);
	assert_true(a.facts.ak_known);
	assert_false(a.facts.ak_live);
	assert_moved(attempt_record(&a));
	enrollment_facts_free(&a.facts);
}

static void a_refusal_is_an_audit_row_and_the_devices_last_refusal(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	struct refusal_record refusal = {.event = "enroll.refused",
		.ticket_digest = a.ek_digest,
		.ek_digest = a.ek_digest,
		.host = "b.example.org",
		.code = "device-bound-to-another-host",
		.sentence = "one device, one name",
		.trust_version = "00ff",
		.policy_version = "abcd",
		.request_id = "r-2",
		.client_address = "192.0.2.1",
		.now = NOW + 5};

	attempt_enroll(&a);
	assert_int_equal(OK, enrollment_refused(*state, &refusal));
	assert_int_equal(
		1, database_count(
			   "SELECT count(*) FROM audit JOIN device USING (device_id)"
			   " JOIN ek USING (device_id) WHERE event = 'enroll.refused'"
			   " AND code = 'device-bound-to-another-host' AND last_refusal_code = code"
			   " AND detail = 'one device, one name' AND last_refusal_at = at"
			   " AND audit.ek_digest = ek.ek_digest AND host = 'b.example.org'"
			   " AND client_address = '192.0.2.1' AND request_id = 'r-2'"
			   " AND audit.trust_version = '00ff' AND policy_version = 'abcd'"));
	assert_int_equal(1, database_count("SELECT revision FROM device"));
	enrollment_facts_free(&a.facts);
}

static void a_refused_stranger_is_an_audit_row_and_nothing_else(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	struct refusal_record refusal = {.event = "enroll.refused",
		.ticket_digest = a.ek_digest,
		.ek_digest = a.ek_digest,
		.host = "no name\xff\n",
		.code = "name-not-allowed",
		.sentence = "cut in the middle: \xe2\x82",
		.now = NOW};

	assert_int_equal(OK, enrollment_refused(*state, &refusal));
	assert_rows("0 device 0 ek 0 host 0 ak 0 certificate 0 ticket 1 audit");
	assert_int_equal(1, database_count("SELECT count(*) FROM audit WHERE device_id IS NULL"
					   " AND host = 'no name' || repeat('?', 2)"));
}

static void a_ticket_is_refused_once_however_often_it_is_sent(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	struct refusal_record refusal = {.event = "enroll.refused",
		.ticket_digest = a.ek_digest,
		.code = "json-type",
		.sentence = "no EK known",
		.now = NOW};

	for (int i = 0; i < 3; i++)
		assert_int_equal(OK, enrollment_refused(*state, &refusal));
	assert_rows("0 device 0 ek 0 host 0 ak 0 certificate 0 ticket 1 audit");
	database_do("UPDATE refusal SET refused_at = now() - interval '2 hours'");
	assert_int_equal(OK, ticket_purge(*state, 3600));
	assert_int_equal(0, database_count("SELECT count(*) FROM refusal"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_migrated, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_first_enrollment_writes_one_row_of_each),
		TEST(a_record_made_on_an_older_revision_writes_nothing),
		TEST(a_device_revoked_between_the_trips_gets_nothing),
		TEST(a_name_unbound_between_the_trips_is_not_certified),
		TEST(a_certificate_revoked_between_the_trips_is_not_returned),
		TEST(returning_what_was_issued_uses_the_ticket_and_issues_nothing),
		TEST(an_answer_may_be_of_recorded_and_of_new_certificates_in_their_order),
		TEST(nothing_new_is_recorded_beside_what_was_revoked_meanwhile),
		TEST(what_certificates_are_for_and_what_an_ek_came_with_is_recorded),
		TEST(a_renewal_proves_no_ek_and_says_so_in_the_records),
		TEST(a_record_of_no_certificate_is_our_fault),
		TEST(a_second_ek_with_a_known_ak_joins_the_device),
		TEST(an_ak_is_not_taken_over_by_another_device),
		TEST(a_ticket_that_another_device_used_is_used),
		TEST(an_ek_that_another_device_got_between_the_trips_stays_there),
		TEST(a_device_has_one_name_that_is_no_alias),
		TEST(the_oldest_aks_beyond_the_limit_are_superseded),
		TEST(a_ticket_is_refused_once_however_often_it_is_sent),
		TEST(a_refusal_is_an_audit_row_and_the_devices_last_refusal),
		TEST(a_refused_stranger_is_an_audit_row_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
