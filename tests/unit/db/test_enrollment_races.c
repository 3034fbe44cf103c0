#include "attempt.h"
#include "database.h"
#include "db/host.h"

#include <stdio.h>

#define RACERS 16

static const struct act admin = {
	.who = "admin-token", .from = "::1", .reason = "moved", .now = NOW};

static void free_all(struct attempt racers[static RACERS])
{
	for (unsigned i = 0; i < RACERS; i++)
		enrollment_facts_free(&racers[i].facts);
}

static void *record_only(void *of_attempt)
{
	struct attempt *attempt = of_attempt;

	attempt->err = attempt_record(attempt);
	snprintf(attempt->code, sizeof(attempt->code), "%s", attempt->err == OK ? "" : why()->code);
	return NULL;
}

/* All look first: who finds the name bound already would be refused before a second trip. */
static unsigned race_to_record(struct attempt racers[static RACERS])
{
	void *arguments[RACERS];
	unsigned won = 0;

	for (unsigned i = 0; i < RACERS; i++) {
		attempt_lookup(&racers[i]);
		arguments[i] = &racers[i];
	}
	at_once(RACERS, record_only, arguments);
	for (unsigned i = 0; i < RACERS; i++) {
		won += racers[i].err == OK;
		if (racers[i].err != OK)
			assert_string_equal("database-moved", racers[i].code);
	}
	return won;
}

static void of_sixteen_devices_that_race_for_a_name_exactly_one_gets_it(void **state)
{
	for (unsigned round = 0; round < 20; round++) {
		struct attempt racers[RACERS];

		database_do("TRUNCATE device CASCADE");
		for (unsigned i = 0; i < RACERS; i++)
			racers[i] = attempt_of(*state, i, "web.example.org");
		assert_int_equal(1, race_to_record(racers));
		for (unsigned i = 0; i < RACERS; i++) {
			bool won = racers[i].err == OK;

			attempt_lookup(&racers[i]);
			assert_true(racers[i].facts.host_bound);
			assert_int_equal(won, racers[i].facts.host_is_ours);
			assert_int_equal(won, racers[i].facts.device_known);
		}
		assert_int_equal(1, database_count("SELECT count(*) FROM device"));
		assert_int_equal(1, database_count("SELECT count(*) FROM certificate"));
		free_all(racers);
	}
}

static void of_sixteen_new_attempts_of_one_tpm_one_makes_the_device(void **state)
{
	for (unsigned round = 0; round < 10; round++) {
		struct attempt racers[RACERS];

		database_do("TRUNCATE device CASCADE");
		for (unsigned i = 0; i < RACERS; i++)
			racers[i] = attempt_of(*state, 1, "web.example.org");
		assert_int_equal(1, race_to_record(racers));
		assert_int_equal(1, database_count("SELECT count(*) FROM device"));
		assert_int_equal(1, database_count("SELECT count(*) FROM ek"));
		free_all(racers);
	}
}

static void two_eks_of_one_tpm_that_race_with_one_ak_become_one_device(void **state)
{
	struct attempt racers[RACERS];

	for (unsigned i = 0; i < RACERS; i++) {
		racers[i] = attempt_of(*state, 1, "web.example.org");
		attempt_use_ek(&racers[i], 100 + i % 2);
	}
	assert_int_equal(1, race_to_record(racers));
	for (unsigned i = 0; i < RACERS; i++)
		if (racers[i].err != OK)
			attempt_enroll(&racers[i]);
	assert_int_equal(1, database_count("SELECT count(*) FROM device"));
	assert_int_equal(2, database_count("SELECT count(*) FROM ek"));
	assert_int_equal(1, database_count("SELECT count(*) FROM ak"));
	assert_int_equal(RACERS, database_count("SELECT count(*) FROM ticket"));
	free_all(racers);
}

static void a_ticket_enrolls_once_however_many_servers_it_is_shown_to(void **state)
{
	struct attempt racers[RACERS];

	for (unsigned i = 0; i < RACERS; i++) {
		racers[i] = attempt_of(*state, 1, "web.example.org");
		memset(racers[i].ticket_digest, 5, DIGEST_SIZE);
	}
	assert_int_equal(1, race_to_record(racers));
	assert_int_equal(1, database_count("SELECT count(*) FROM certificate"));
	for (unsigned i = 0; i < RACERS; i++) {
		attempt_lookup(&racers[i]);
		assert_true(racers[i].facts.ticket_used);
		assert_int_equal(1, racers[i].facts.certificates_n);
	}
	free_all(racers);
}

static void *enroll_with_patience(void *of_attempt)
{
	struct attempt *attempt = of_attempt;

	do
		attempt_once(attempt);
	while (attempt->err == ERR_CONFLICT);
	return NULL;
}

static void tickets_of_one_known_device_in_parallel_all_succeed_in_the_end(void **state)
{
	struct attempt first = attempt_of(*state, 1, "web.example.org");
	struct attempt racers[RACERS];
	void *arguments[RACERS];

	attempt_enroll(&first);
	for (unsigned i = 0; i < RACERS; i++) {
		racers[i] = attempt_of(*state, 1, "web.example.org");
		arguments[i] = &racers[i];
	}
	at_once(RACERS, enroll_with_patience, arguments);
	for (unsigned i = 0; i < RACERS; i++)
		assert_int_equal(OK, racers[i].err);
	assert_int_equal(1 + RACERS, database_count("SELECT revision FROM device"));
	assert_int_equal(1 + RACERS, database_count("SELECT count(*) FROM certificate"));
	free_all(racers);
	enrollment_facts_free(&first.facts);
}

static void *unbind_often(void *of_attempt)
{
	struct attempt *attempt = of_attempt;
	uint8_t device_id[DEVICE_ID_SIZE];

	attempt->err = OK;
	for (int i = 0; i < 20 && attempt->err == OK; i++) {
		attempt->err = host_unbind(attempt->db, attempt->host, &admin, device_id);
		if (attempt->err == ERR_NOT_FOUND || attempt->err == ERR_CONFLICT)
			attempt->err = OK;
	}
	return NULL;
}

/* As the flow would: a name of another device is a refusal, and no second trip is made. */
static void *enroll_often(void *of_attempt)
{
	struct attempt *attempt = of_attempt;

	for (int i = 0; i < 20; i++) {
		attempt_anew(attempt);
		attempt_lookup(attempt);
		if (attempt->facts.host_bound && !attempt->facts.host_is_ours)
			continue;
		record_only(attempt);
		if (attempt->err != OK && attempt->err != ERR_CONFLICT)
			return NULL;
		attempt->err = OK;
	}
	return NULL;
}

static void *enroll_or_unbind(void *of_attempt)
{
	struct attempt *attempt = of_attempt;

	return attempt->host_alias ? unbind_often(attempt) : enroll_often(attempt);
}

/* Eight devices for two names, while others take the names away: no deadlock, and at no time is
 * something certified for a device that does not have the name. */
static void unbinding_and_enrolling_at_once_leaves_every_promise_whole(void **state)
{
	struct attempt racers[RACERS];
	void *arguments[RACERS];

	for (unsigned i = 0; i < RACERS; i++) {
		racers[i] =
			attempt_of(*state, i % 8, i % 2 == 0 ? "a.example.org" : "b.example.org");
		racers[i].host_alias = i >= 12; /* these unbind */
		arguments[i] = &racers[i];
	}
	at_once(RACERS, enroll_or_unbind, arguments);
	for (unsigned i = 0; i < RACERS; i++)
		if (racers[i].err != OK)
			fail_msg("racer %u: %s", i, racers[i].code);
	assert_in_range(database_count("SELECT count(*) FROM host"), 0, 2);
	assert_int_equal(0, database_count("SELECT deadlocks FROM pg_stat_database"
					   " WHERE datname = current_database()"));
	/* A binding has certificates of one device only. */
	assert_int_equal(
		0, database_count("SELECT count(*) FROM (SELECT FROM certificate"
				  " GROUP BY binding HAVING count(DISTINCT device_id) > 1) x"));
	free_all(racers);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_migrated, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(of_sixteen_devices_that_race_for_a_name_exactly_one_gets_it),
		TEST(of_sixteen_new_attempts_of_one_tpm_one_makes_the_device),
		TEST(two_eks_of_one_tpm_that_race_with_one_ak_become_one_device),
		TEST(a_ticket_enrolls_once_however_many_servers_it_is_shown_to),
		TEST(tickets_of_one_known_device_in_parallel_all_succeed_in_the_end),
		TEST(unbinding_and_enrolling_at_once_leaves_every_promise_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
