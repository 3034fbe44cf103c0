#include "attempt.h"
#include "database.h"
#include "db/host.h"

#include <string.h>

static const struct act admin = {
	.who = "admin-token", .from = "::1", .reason = "moved", .now = NOW};

static void of_an_empty_database_nothing_is_known(void **state)
{
	struct attempt a = attempt_of(*state, 1, "web.example.org");

	attempt_lookup(&a);
	assert_false(a.facts.device_known || a.facts.ek_known || a.facts.ak_known);
	assert_false(a.facts.ak_of_other_device || a.facts.host_bound || a.facts.ticket_used);
	assert_int_equal(0, a.facts.certificates_n);
	enrollment_facts_free(&a.facts);
}

static void an_enrolled_device_is_known_with_all_it_has(void **state)
{
	struct attempt a = attempt_of(*state, 1, "web.example.org");

	a.certificates_n = 2;
	attempt_enroll(&a);
	attempt_anew(&a);
	attempt_lookup(&a);
	assert_true(
		a.facts.device_known && a.facts.ek_known && a.facts.ak_known && a.facts.ak_live);
	assert_int_equal(DEVICE_ACTIVE, a.facts.device_state);
	assert_int_equal(1, a.facts.revision);
	assert_false(a.facts.ak_of_other_device || a.facts.ak_other_dialect);
	assert_int_equal(1, database_count("SELECT count(*) FROM ak WHERE state = 'live'"));
	assert_true(a.facts.host_bound && a.facts.host_is_ours);
	assert_int_equal(1, a.facts.device_hosts);
	assert_false(a.facts.ticket_used || a.facts.ticket_revoked);
	assert_int_equal(2, a.facts.certificates_n);
	assert_string_equal("ak", a.facts.certificates[0].template);
	assert_string_equal("tls", a.facts.certificates[1].template);
	assert_int_equal(16, a.facts.certificates[0].serial_n);
	assert_memory_equal(a.grant_digest, a.facts.grant_digest[1], DIGEST_SIZE);
	assert_true(a.facts.certificates[0].der.n > 0);
	enrollment_facts_free(&a.facts);
}

static void a_name_of_another_device_is_bound_and_not_ours(void **state)
{
	struct attempt a = attempt_of(*state, 1, "web.example.org");
	struct attempt b = attempt_of(*state, 2, "web.example.org");

	attempt_enroll(&a);
	attempt_lookup(&b);
	assert_true(b.facts.host_bound);
	assert_false(b.facts.host_is_ours || b.facts.device_known);
	assert_int_equal(0, b.facts.certificates_n);
	enrollment_facts_free(&a.facts);
	enrollment_facts_free(&b.facts);
}

static void a_second_ek_with_a_known_ak_is_the_device_of_the_ak_with_its_ban(void **state)
{
	struct attempt a = attempt_of(*state, 1, "web.example.org");
	struct attempt b = attempt_of(*state, 1, "web.example.org");

	attempt_enroll(&a);
	database_do("UPDATE device SET state = 'revoked', revision = revision + 1");
	attempt_use_ek(&b, 77);
	attempt_lookup(&b);
	assert_true(b.facts.device_known && b.facts.ak_known && b.facts.host_is_ours);
	assert_false(b.facts.ek_known || b.facts.ak_of_other_device);
	assert_memory_equal(a.new_device_id, b.facts.device_id, DEVICE_ID_SIZE);
	assert_int_equal(DEVICE_REVOKED, b.facts.device_state);
	assert_int_equal(0, b.facts.certificates_n);
	enrollment_facts_free(&a.facts);
	enrollment_facts_free(&b.facts);
}

static void an_ak_of_another_device_is_told(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	struct attempt b = attempt_of(*state, 2, "b.example.org");

	attempt_enroll(&a);
	attempt_enroll(&b);
	attempt_anew(&b);
	attempt_use_ak(&b, 1);
	attempt_lookup(&b);
	assert_true(b.facts.device_known && b.facts.ek_known && b.facts.ak_of_other_device);
	assert_false(b.facts.ak_known || b.facts.ak_live);
	assert_memory_equal(a.new_device_id, b.facts.ak_device_id, DEVICE_ID_SIZE);
	assert_int_equal(0, b.facts.certificates_n);
	enrollment_facts_free(&a.facts);
	enrollment_facts_free(&b.facts);
}

static void a_superseded_ak_and_one_of_another_dialect_are_told(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	attempt_enroll(&a);
	attempt_anew(&a);
	database_do("UPDATE ak SET state = 'superseded', dialect = 'keylime'");
	attempt_lookup(&a);
	assert_true(a.facts.ak_known && a.facts.ak_other_dialect);
	assert_false(a.facts.ak_live);
	assert_int_equal(0, a.facts.certificates_n);
	enrollment_facts_free(&a.facts);
}

static void a_used_ticket_brings_its_own_certificates_in_their_order(void **state)
{
	struct attempt first = attempt_of(*state, 1, "a.example.org"), later;

	first.certificates_n = 3;
	attempt_enroll(&first);
	later = attempt_of(*state, 1, "a.example.org");
	later.now += 100;
	attempt_enroll(&later);
	attempt_lookup(&first);
	assert_true(first.facts.ticket_used);
	assert_false(first.facts.ticket_revoked);
	assert_memory_equal(first.request_digest, first.facts.ticket_request_digest, DIGEST_SIZE);
	assert_int_equal(3, first.facts.certificates_n);
	for (uint8_t i = 0; i < 3; i++) {
		assert_memory_equal(first.serial, first.facts.certificates[i].serial, 15);
		assert_int_equal(i, first.facts.certificates[i].serial[15]);
	}
	enrollment_facts_free(&first.facts);
	enrollment_facts_free(&later.facts);
}

static void a_used_ticket_is_revoked_with_anything_that_it_brought(void **state)
{
	static const char *const changes[] = {
		("UPDATE certificate SET revoked_at = now(), revocation_reason = 'keyCompromise'"
		 " WHERE place = 1"),
		"UPDATE device SET state = 'revoked'", "UPDATE ak SET state = 'superseded'",
		"DELETE FROM host",
		"UPDATE host SET binding = DEFAULT", /* unbound, and bound again */
	};

	for (size_t i = 0; i < COUNT(changes); i++) {
		struct attempt a = attempt_of(*state, 1, "a.example.org");

		database_do("TRUNCATE device CASCADE");
		a.certificates_n = 2;
		attempt_enroll(&a);
		database_do(changes[i]);
		attempt_lookup(&a);
		if (!a.facts.ticket_used || !a.facts.ticket_revoked)
			fail_msg("not revoked by: %s", changes[i]);
		enrollment_facts_free(&a.facts);
	}
}

static void only_what_has_half_of_its_life_left_is_offered_again(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	const int64_t half = (NOW - 60) + (YEAR + 60) / 2;

	attempt_enroll(&a);
	attempt_anew(&a);
	a.now = half;
	attempt_lookup(&a);
	assert_int_equal(1, a.facts.certificates_n);
	a.now = half + 1;
	attempt_lookup(&a);
	assert_int_equal(0, a.facts.certificates_n);
	enrollment_facts_free(&a.facts);
}

static void who_tells_whose_the_ak_is_is_offered_the_same(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	uint8_t device_id[DEVICE_ID_SIZE];

	attempt_enroll(&a);
	attempt_anew(&a);
	attempt_lookup(&a);
	assert_int_equal(1, a.facts.certificates_n);
	memcpy(device_id, a.facts.device_id, DEVICE_ID_SIZE);
	a.device_id = device_id;
	attempt_lookup(&a);
	assert_int_equal(1, a.facts.certificates_n);
	attempt_use_ak(&a, 2); /* not its own */
	attempt_lookup(&a);
	assert_int_equal(0, a.facts.certificates_n);
	enrollment_facts_free(&a.facts);
}

static void what_was_revoked_is_not_offered_again(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	a.certificates_n = 2;
	attempt_enroll(&a);
	attempt_anew(&a);
	database_do("UPDATE certificate SET revoked_at = now(), revocation_reason = 'superseded'"
		    " WHERE place = 0");
	attempt_lookup(&a);
	assert_int_equal(1, a.facts.certificates_n);
	assert_string_equal("tls", a.facts.certificates[0].template);
	enrollment_facts_free(&a.facts);
}

static void the_newest_answer_comes_first_and_sixteen_are_the_most(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	a.certificates_n = 8;
	attempt_enroll(&a);
	attempt_anew(&a);
	a.now++;
	attempt_enroll(&a);
	attempt_anew(&a);
	a.now++;
	a.certificates_n = 5;
	a.grant_digest[0] ^= 1;
	attempt_enroll(&a);
	memset(a.ticket_digest, 9, DIGEST_SIZE);
	attempt_lookup(&a);
	assert_int_equal(16, a.facts.certificates_n);
	for (uint8_t i = 0; i < 16; i++)
		assert_int_equal(i < 5 ? i : (i - 5) % 8, a.facts.certificates[i].serial[15]);
	assert_memory_equal(a.grant_digest, a.facts.grant_digest[4], DIGEST_SIZE);
	assert_memory_not_equal(a.grant_digest, a.facts.grant_digest[5], DIGEST_SIZE);
	enrollment_facts_free(&a.facts);
}

static void serials_for_openssh_are_taken_once_and_only_when_asked_for(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	attempt_lookup(&a);
	assert_int_equal(0, a.facts.ssh_serials[0]);
	a.ssh_serials = 3;
	attempt_lookup(&a);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(i + 1, a.facts.ssh_serials[i]);
	assert_int_equal(0, a.facts.ssh_serials[3]);
	attempt_lookup(&a);
	assert_int_equal(4, a.facts.ssh_serials[0]);
	enrollment_facts_free(&a.facts);
}

static void the_aks_certificates_are_those_in_force_the_newest_of_each_template(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	a.certificates_n = 2;
	attempt_enroll(&a);
	attempt_anew(&a);
	attempt_lookup(&a);
	assert_int_equal(0, a.facts.ak_certificates_n);
	a.wants_ak_certificates = true;
	attempt_lookup(&a);
	assert_int_equal(1, a.facts.ak_certificates_n);
	assert_string_equal("ak", a.facts.ak_certificates[0].template);
	database_do("UPDATE certificate SET der = 'newer', issued_at = issued_at + interval '1 s',"
		    " template = 'ak-named' WHERE place = 1;"
		    "UPDATE certificate SET key_kind = 'ak'");
	attempt_lookup(&a);
	assert_int_equal(2, a.facts.ak_certificates_n);
	assert_string_equal("ak-named", a.facts.ak_certificates[0].template);
	assert_int_equal(0x80, a.facts.ak_certificates[0].sha256[0]);
	database_do("UPDATE certificate SET revoked_at = now(), revocation_reason = 'unspecified'"
		    " WHERE place = 1");
	attempt_lookup(&a);
	assert_int_equal(1, a.facts.ak_certificates_n);
	a.now += YEAR;
	attempt_lookup(&a);
	assert_int_equal(0, a.facts.ak_certificates_n);
	enrollment_facts_free(&a.facts);
}

static void a_name_bound_anew_does_not_revive_what_it_had_before(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	uint8_t device_id[DEVICE_ID_SIZE];

	attempt_enroll(&a);
	assert_int_equal(OK, host_unbind(*state, "a.example.org", &admin, device_id));
	attempt_anew(&a);
	attempt_enroll(&a); /* in the same second */
	attempt_anew(&a);
	attempt_lookup(&a);
	assert_true(a.facts.host_is_ours);
	assert_int_equal(1, a.facts.certificates_n);
	assert_int_equal(2, database_count("SELECT count(*) FROM certificate"));
	enrollment_facts_free(&a.facts);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_migrated, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(of_an_empty_database_nothing_is_known),
		TEST(an_enrolled_device_is_known_with_all_it_has),
		TEST(a_name_of_another_device_is_bound_and_not_ours),
		TEST(a_second_ek_with_a_known_ak_is_the_device_of_the_ak_with_its_ban),
		TEST(an_ak_of_another_device_is_told),
		TEST(a_superseded_ak_and_one_of_another_dialect_are_told),
		TEST(a_used_ticket_brings_its_own_certificates_in_their_order),
		TEST(a_used_ticket_is_revoked_with_anything_that_it_brought),
		TEST(only_what_has_half_of_its_life_left_is_offered_again),
		TEST(who_tells_whose_the_ak_is_is_offered_the_same),
		TEST(what_was_revoked_is_not_offered_again),
		TEST(the_newest_answer_comes_first_and_sixteen_are_the_most),
		TEST(serials_for_openssh_are_taken_once_and_only_when_asked_for),
		TEST(the_aks_certificates_are_those_in_force_the_newest_of_each_template),
		TEST(a_name_bound_anew_does_not_revive_what_it_had_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
