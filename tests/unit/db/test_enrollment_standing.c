#include "attempt.h"
#include "ca/base/encode.h"
#include "database.h"
#include "db/host.h"

#include <string.h>

static const struct act admin = {
	.who = "admin-token", .from = "::1", .reason = "moved", .now = NOW};

/* Runs SQL in which %s is this EK as a literal. */
static void with_ek(const struct attempt *attempt, const char *before, const char *behind)
{
	AUTO(buf_free) struct buf sql = BUF(2048);

	buf_str(&sql, before);
	buf_str(&sql, "'\\x");
	hex_add(&sql, VIEW(attempt->ek_digest));
	buf_str(&sql, "'");
	buf_str(&sql, behind);
	database_do(buf_text(&sql));
}

static void allow(const struct attempt *attempt, const char *host)
{
	AUTO(buf_free) struct buf behind = BUF(512);

	buf_fmt(&behind, ", %s%s%s, '{\"rack\": \"7\"}', 'factory.csv', now(), 'w', 'y')",
		host == NULL ? "" : "'", host == NULL ? "NULL" : host, host == NULL ? "" : "'");
	with_ek(attempt,
		"INSERT INTO ek_allowed (ek_digest, host, labels, source, added_at, added_by, why)"
		" VALUES (",
		buf_text(&behind));
}

static void hold(const struct attempt *attempt, const char *state, const char *host)
{
	AUTO(buf_free) struct buf behind = BUF(512);

	buf_fmt(&behind,
		", 'key', 'ak', '%s', 'ek-untrusted', '', '192.0.2.7', now(), now(), '%s',"
		" CASE WHEN '%s' <> 'held' THEN now() END,"
		" CASE WHEN '%s' <> 'held' THEN 'w' END)",
		host, state, state, state);
	with_ek(attempt,
		"INSERT INTO pending (attempt_id, ek_digest, ek_public, ak_name, host, code,"
		" sentence, source, first_at, last_at, state, decided_at, decided_by)"
		" VALUES (decode(md5(random()::text), 'hex'), ",
		buf_text(&behind));
}

static void of_an_empty_database_nothing_stands(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	attempt_lookup(&a);
	assert_false(a.facts.ek_allowed || a.facts.host_of_other_ek || a.facts.attempt_known ||
		     a.facts.attempt_accepted || a.facts.attempt_rejected || a.facts.ticket_held);
	assert_string_equal("", a.facts.registered_host);
	assert_string_equal("", a.facts.allowed_source);
	a.host = NULL;
	attempt_lookup(&a);
	assert_false(a.facts.host_bound || a.facts.host_is_ours || a.facts.attempt_known);
	enrollment_facts_free(&a.facts);
}

static void an_allowed_ek_is_told_with_its_source_and_name(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	struct attempt b = attempt_of(*state, 2, "a.example.org");
	struct attempt c = attempt_of(*state, 3, "c.example.org");

	allow(&a, "a.example.org");
	allow(&c, NULL);
	attempt_lookup(&a);
	assert_true(a.facts.ek_allowed);
	assert_false(a.facts.host_of_other_ek);
	assert_string_equal("factory.csv", a.facts.allowed_source);
	assert_string_equal("a.example.org", a.facts.registered_host);
	attempt_lookup(&b);
	assert_false(b.facts.ek_allowed);
	assert_true(b.facts.host_of_other_ek);
	assert_string_equal("", b.facts.registered_host);
	attempt_lookup(&c);
	assert_true(c.facts.ek_allowed);
	assert_string_equal("", c.facts.registered_host);
	enrollment_facts_free(&a.facts);
	enrollment_facts_free(&b.facts);
	enrollment_facts_free(&c.facts);
}

static void without_a_name_the_facts_are_about_the_registered_one(void **state)
{
	struct attempt a = attempt_of(*state, 1, NULL);

	allow(&a, "a.example.org");
	hold(&a, "rejected", "a.example.org");
	attempt_enroll(&a);
	assert_int_equal(
		1, database_count("SELECT count(*) FROM host WHERE name = 'a.example.org'"));
	attempt_anew(&a);
	attempt_lookup(&a);
	assert_true(a.facts.host_bound && a.facts.host_is_ours);
	assert_true(a.facts.attempt_known && a.facts.attempt_rejected);
	assert_int_equal(1, a.facts.certificates_n);
	enrollment_facts_free(&a.facts);
}

static void the_attempt_of_this_ek_for_this_name_is_told(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	struct attempt other_ek = attempt_of(*state, 2, "a.example.org");
	struct attempt other_name = attempt_of(*state, 1, "b.example.org");

	hold(&a, "held", "a.example.org");
	attempt_lookup(&a);
	assert_true(a.facts.attempt_known);
	assert_false(a.facts.attempt_accepted || a.facts.attempt_rejected);
	database_do("UPDATE pending SET state = 'accepted', decided_at = now(), decided_by = 'w',"
		    " attempt_id = 'sixteen octets..'");
	attempt_lookup(&a);
	assert_true(a.facts.attempt_accepted);
	assert_memory_equal("sixteen octets..", a.facts.attempt_id, 16);
	attempt_lookup(&other_ek);
	assert_false(other_ek.facts.attempt_known || other_ek.facts.attempt_accepted);
	attempt_lookup(&other_name);
	assert_false(other_name.facts.attempt_known || other_name.facts.attempt_accepted);
	enrollment_facts_free(&a.facts);
	enrollment_facts_free(&other_ek.facts);
	enrollment_facts_free(&other_name.facts);
}

/* What is enrolled by somebody, and what happens between its two trips. */
static const struct {
	const char *class, *before, *between;
	bool learns;
} moves[] = {
	{"allow-list", "allow", "DELETE FROM ek_allowed", false},
	{"approved", "accepted", "DELETE FROM pending", false},
	{"approved", "accepted", "UPDATE pending SET state = 'rejected'", false},
	{"approved", "accepted", "UPDATE pending SET host = 'b.example.org'", false},
	{"approved", "accepted", "UPDATE pending SET ek_digest = sha256('other')", false},
	{"manufacturer", "allow", "UPDATE ek_allowed SET host = 'b.example.org'", false},
	{"manufacturer", "allow",
		"UPDATE ek_allowed SET host = 'a.example.org', ek_digest = sha256('other')", false},
	{"manufacturer", "register", "DELETE FROM ek_allowed", true},
	{"manufacturer", "register", "UPDATE ek_allowed SET host = NULL", true},
};

static void an_enrollment_loses_when_what_it_stands_on_goes(void **state)
{
	for (size_t i = 0; i < COUNT(moves); i++) {
		struct attempt a = attempt_of(*state, 1, "a.example.org");

		database_do("TRUNCATE device, ek_allowed, pending CASCADE");
		if (moves[i].learns)
			a.host = NULL;
		a.trust_class = moves[i].class;
		if (strcmp(moves[i].before, "accepted") == 0)
			hold(&a, "accepted", "a.example.org");
		else
			allow(&a,
				strcmp(moves[i].before, "register") == 0 ? "a.example.org" : NULL);
		attempt_lookup(&a);
		database_do(moves[i].between);
		if (attempt_record(&a) != ERR_CONFLICT)
			fail_msg("%zu: not lost by: %s", i, moves[i].between);
		assert_string_equal("database-moved", why()->code);
		assert_int_equal(0, database_count("SELECT count(*) FROM device"));
		enrollment_facts_free(&a.facts);
	}
}

static void an_enrollment_succeeds_when_what_it_stands_on_is_there(void **state)
{
	for (size_t i = 0; i < COUNT(moves); i++) {
		struct attempt a = attempt_of(*state, 1, "a.example.org");

		database_do("TRUNCATE device, ek_allowed, pending CASCADE");
		a.trust_class = moves[i].class;
		if (strcmp(moves[i].before, "accepted") == 0)
			hold(&a, "accepted", "a.example.org");
		else
			allow(&a,
				strcmp(moves[i].before, "register") == 0 ? "a.example.org" : NULL);
		attempt_lookup(&a);
		assert_int_equal(OK, attempt_record(&a));
		enrollment_facts_free(&a.facts);
	}
}

static void a_ticket_that_was_held_is_told_and_enrolls_nothing(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	memset(a.ticket_digest, 5, DIGEST_SIZE);
	attempt_lookup(&a);
	assert_false(a.facts.ticket_held);
	database_do("INSERT INTO pending_ticket VALUES"
		    " (decode(repeat('05', 32), 'hex'), 'sixteen octets..', now())");
	assert_int_equal(ERR_CONFLICT, attempt_record(&a));
	assert_string_equal("database-moved", why()->code);
	attempt_lookup(&a);
	assert_true(a.facts.ticket_held);
	attempt_anew(&a);
	attempt_lookup(&a);
	assert_false(a.facts.ticket_held);
	assert_int_equal(OK, attempt_record(&a));
	enrollment_facts_free(&a.facts);
}

static void a_success_ends_what_was_held_of_this_ek_and_nothing_else(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	struct attempt b = attempt_of(*state, 2, "b.example.org");

	hold(&a, "held", "a.example.org");
	hold(&a, "held", "b.example.org");
	hold(&a, "accepted", "c.example.org");
	hold(&a, "rejected", "d.example.org");
	hold(&b, "held", "b.example.org");
	attempt_enroll(&a);
	assert_int_equal(3, database_count("SELECT count(*) FROM pending"));
	assert_int_equal(1, database_count("SELECT count(*) FROM pending WHERE state = 'held'"));
	enrollment_facts_free(&a.facts);
}

static void a_new_device_gets_the_labels_of_its_ek_and_a_known_one_keeps_its_own(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	struct attempt b = attempt_of(*state, 2, "b.example.org");

	attempt_enroll(&b);
	allow(&a, NULL);
	allow(&b, NULL);
	attempt_enroll(&a);
	attempt_anew(&b);
	attempt_enroll(&b);
	assert_int_equal(2, database_count("SELECT count(*) FROM device"));
	assert_int_equal(1,
		database_count("SELECT count(*) FROM device WHERE labels = '{\"rack\": \"7\"}'"));
	assert_int_equal(1, database_count("SELECT count(*) FROM device WHERE labels = '{}'"));
	enrollment_facts_free(&a.facts);
	enrollment_facts_free(&b.facts);
}

static void what_no_certificate_says_of_a_tpm_is_not_recorded(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	a.is_unnamed = true;
	attempt_enroll(&a);
	assert_int_equal(1, database_count("SELECT count(*) FROM device WHERE manufacturer IS NULL"
					   " AND model IS NULL AND version IS NULL"));
	enrollment_facts_free(&a.facts);
}

static void an_approval_lasts_until_its_name_is_taken_back(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	uint8_t device_id[DEVICE_ID_SIZE];

	a.trust_class = "approved";
	hold(&a, "accepted", "a.example.org");
	hold(&a, "accepted", "b.example.org");
	attempt_enroll(&a);
	attempt_anew(&a);
	attempt_enroll(&a);
	attempt_anew(&a);
	assert_int_equal(OK, host_unbind(*state, "a.example.org", &admin, device_id));
	attempt_lookup(&a);
	assert_false(a.facts.attempt_known || a.facts.attempt_accepted);
	assert_int_equal(ERR_CONFLICT, attempt_record(&a));
	assert_int_equal(1, database_count("SELECT count(*) FROM pending"));
	assert_int_equal(
		1, database_count(
			   "SELECT count(*) FROM audit JOIN ek USING (ek_digest, device_id)"
			   " WHERE event = 'attempt.withdrawn' AND host = 'a.example.org'"
			   " AND who = 'admin-token' AND client_address = '::1'"
			   " AND detail LIKE 'attempt ________________________________: moved'"));
	enrollment_facts_free(&a.facts);
}

static void unbinding_the_name_of_another_device_leaves_an_approval_alone(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	struct attempt b = attempt_of(*state, 2, "a.example.org");
	uint8_t device_id[DEVICE_ID_SIZE];

	attempt_enroll(&a);
	hold(&a, "rejected", "a.example.org");
	hold(&b, "accepted", "a.example.org");
	assert_int_equal(OK, host_unbind(*state, "a.example.org", &admin, device_id));
	assert_int_equal(2, database_count("SELECT count(*) FROM pending"));
	b.trust_class = "approved";
	attempt_enroll(&b);
	enrollment_facts_free(&a.facts);
	enrollment_facts_free(&b.facts);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_migrated, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(of_an_empty_database_nothing_stands),
		TEST(an_allowed_ek_is_told_with_its_source_and_name),
		TEST(without_a_name_the_facts_are_about_the_registered_one),
		TEST(the_attempt_of_this_ek_for_this_name_is_told),
		TEST(an_enrollment_loses_when_what_it_stands_on_goes),
		TEST(an_enrollment_succeeds_when_what_it_stands_on_is_there),
		TEST(a_ticket_that_was_held_is_told_and_enrolls_nothing),
		TEST(a_success_ends_what_was_held_of_this_ek_and_nothing_else),
		TEST(a_new_device_gets_the_labels_of_its_ek_and_a_known_one_keeps_its_own),
		TEST(what_no_certificate_says_of_a_tpm_is_not_recorded),
		TEST(an_approval_lasts_until_its_name_is_taken_back),
		TEST(unbinding_the_name_of_another_device_leaves_an_approval_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
