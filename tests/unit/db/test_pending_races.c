#include "asker.h"
#include "database.h"

#include <string.h>

#define RACERS 16

static const struct act admin = {.who = "alice",
	.from = "2001:db8::7",
	.reason = "seen on the line",
	.request_id = "r-9",
	.now = NOW + 10};
static void of_many_that_ask_at_once_no_more_than_the_limit_are_held(void **state)
{
	struct asker askers[RACERS];
	void *arguments[RACERS];

	for (unsigned round = 0; round < 5; round++) {
		unsigned held = 0;

		database_do("TRUNCATE pending");
		for (unsigned i = 0; i < RACERS; i++) {
			asker_init(&askers[i], *state, i, "a.example.org");
			askers[i].limits.attempts = 5;
			arguments[i] = &askers[i];
		}
		at_once(RACERS, asker_ask, arguments);
		for (unsigned i = 0; i < RACERS; i++)
			held += askers[i].err == OK;
		assert_int_equal(5, held);
		assert_int_equal(5, database_count("SELECT count(*) FROM pending"));
	}
}

static void one_ek_that_asks_on_many_servers_at_once_is_one_attempt(void **state)
{
	struct asker askers[RACERS];
	void *arguments[RACERS];

	for (unsigned i = 0; i < RACERS; i++) {
		asker_init(&askers[i], *state, 1, "a.example.org");
		arguments[i] = &askers[i];
	}
	at_once(RACERS, asker_ask, arguments);
	for (unsigned i = 0; i < RACERS; i++) {
		assert_int_equal(OK, askers[i].err);
		assert_memory_equal(
			askers[0].out.attempt_id, askers[i].out.attempt_id, ATTEMPT_ID_SIZE);
	}
	assert_int_equal(RACERS, database_count("SELECT asked FROM pending"));
	assert_int_equal(1, database_count("SELECT count(*) FROM audit"));
}

static void *ask_or_enroll(void *of_asker)
{
	struct asker *asker = of_asker;

	if (asker->limits.attempts > 0)
		return asker_ask(asker);
	asker->err = attempt_record(&asker->attempt);
	return NULL;
}

static void a_ticket_is_held_or_enrolls_and_never_both(void **state)
{
	for (unsigned round = 0; round < 30; round++) {
		struct asker askers[2];
		void *arguments[2] = {&askers[0], &askers[1]};

		database_do(
			"TRUNCATE device, device_label, ticket, pending, pending_ticket CASCADE");
		asker_init(&askers[0], *state, 1, "a.example.org");
		asker_init(&askers[1], *state, 1, "a.example.org");
		memset(askers[0].attempt.ticket_digest, 5, DIGEST_SIZE);
		memset(askers[1].attempt.ticket_digest, 5, DIGEST_SIZE);
		attempt_lookup(&askers[1].attempt);
		askers[1].limits.attempts = 0;
		at_once(2, ask_or_enroll, arguments);
		assert_int_equal(1, (askers[0].err == OK) + (askers[1].err == OK));
		assert_int_equal(1, database_count("SELECT (SELECT count(*) FROM ticket) +"
						   " (SELECT count(*) FROM pending_ticket)"));
		enrollment_facts_free(&askers[1].attempt.facts);
	}
}

static void *reject_or_enroll(void *of_asker)
{
	struct asker *asker = of_asker;

	asker->err = asker->limits.attempts > 0 ? pending_decide(asker->db, asker->out.attempt_id,
							  PENDING_REJECTED, &admin)
						: attempt_record(&asker->attempt);
	return NULL;
}

static void nothing_is_issued_on_an_approval_after_it_was_taken_back(void **state)
{
	for (unsigned round = 0; round < 30; round++) {
		struct asker admin_asks, device;
		void *arguments[2] = {&admin_asks, &device};

		database_do("TRUNCATE device, device_label, pending CASCADE");
		asker_init(&admin_asks, *state, 1, "a.example.org");
		asker_hold(&admin_asks);
		assert_int_equal(OK, pending_decide(*state, admin_asks.out.attempt_id,
					     PENDING_ACCEPTED, &admin));
		asker_init(&device, *state, 1, "a.example.org");
		device.attempt.trust_class = "approved";
		device.limits.attempts = 0;
		attempt_lookup(&device.attempt);
		at_once(2, reject_or_enroll, arguments);
		assert_int_equal(OK, admin_asks.err);
		enrollment_facts_free(&device.attempt.facts);
	}
	assert_int_equal(0, database_count("SELECT count(*) FROM audit AS one, audit AS next"
					   " WHERE one.event = 'attempt.rejected'"
					   " AND next.event = 'enroll.issued'"
					   " AND next.id = one.id + 1"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_migrated, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(of_many_that_ask_at_once_no_more_than_the_limit_are_held),
		TEST(one_ek_that_asks_on_many_servers_at_once_is_one_attempt),
		TEST(a_ticket_is_held_or_enrolls_and_never_both),
		TEST(nothing_is_issued_on_an_approval_after_it_was_taken_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
