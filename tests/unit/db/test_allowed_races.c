#include "attempt.h"
#include "database.h"
#include "db/allowed.h"

#include <stdio.h>
#include <string.h>

#define ROUNDS 30

static const struct act admin = {
	.who = "alice", .from = "::1", .reason = "delivery 17", .now = NOW};

/* One side of a race: a device that has looked, or an admin. */
enum deed { ENROLLS, ADDS, REMOVES };
struct racer {
	enum deed what;
	struct attempt attempt;
	enum allowed_fate fate;
	enum err err;
};

static void *act(void *of_racer)
{
	struct racer *racer = of_racer;
	struct allowed one = {.host = racer->attempt.host};

	memcpy(one.ek_digest, racer->attempt.ek_digest, DIGEST_SIZE);
	if (racer->what == ENROLLS)
		racer->err = attempt_record(&racer->attempt);
	else if (racer->what == ADDS)
		racer->err = allowed_add(
			racer->attempt.db, &one, 1, "f.csv", false, false, &admin, &racer->fate);
	else
		racer->err = allowed_remove(racer->attempt.db, one.ek_digest, &admin);
	return NULL;
}

static struct racer racer_of(struct db *db, enum deed what, unsigned tpm, const char *host)
{
	return (struct racer){.what = what, .attempt = attempt_of(db, tpm, host)};
}

static void race(struct racer racers[static 2])
{
	void *arguments[2] = {&racers[0], &racers[1]};

	for (size_t i = 0; i < 2; i++)
		if (racers[i].what == ENROLLS)
			attempt_lookup(&racers[i].attempt);
	at_once(2, act, arguments);
	for (size_t i = 0; i < 2; i++)
		enrollment_facts_free(&racers[i].attempt.facts);
}

/* Neither finds a row of the other when it begins. */
static void a_name_is_not_bound_to_one_ek_while_it_is_registered_for_another(void **state)
{
	unsigned bound = 0, registered = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct racer racers[2] = {racer_of(*state, ENROLLS, 1, "a.example.org"),
			racer_of(*state, ADDS, 2, "a.example.org")};
		bool won, added;

		database_do("TRUNCATE device, ek_allowed CASCADE");
		race(racers);
		assert_int_equal(OK, racers[1].err);
		won = racers[0].err == OK;
		added = racers[1].fate == ALLOWED_ADDED;
		assert_true(won != added);
		assert_int_equal(added ? ALLOWED_ADDED : ALLOWED_HOST_BOUND, racers[1].fate);
		assert_int_equal(won, database_count("SELECT count(*) FROM host"));
		assert_int_equal(added, database_count("SELECT count(*) FROM ek_allowed"));
		bound += won;
		registered += added;
	}
	print_message("bound %u times, registered %u times\n", bound, registered);
}

static void an_ek_does_not_get_one_name_while_it_is_registered_for_another(void **state)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct racer racers[2] = {racer_of(*state, ENROLLS, 1, "a.example.org"),
			racer_of(*state, ADDS, 1, "b.example.org")};

		database_do("TRUNCATE device, ek_allowed CASCADE");
		race(racers);
		assert_int_equal(OK, racers[1].err);
		assert_true((racers[0].err == OK) != (racers[1].fate == ALLOWED_ADDED));
		if (racers[0].err == OK)
			assert_int_equal(ALLOWED_EK_BOUND, racers[1].fate);
	}
}

static void of_two_imports_at_once_one_gets_the_name(void **state)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct racer racers[2] = {racer_of(*state, ADDS, 1, "a.example.org"),
			racer_of(*state, ADDS, 2, "a.example.org")};

		database_do("TRUNCATE ek_allowed");
		race(racers);
		assert_true(racers[0].err == OK && racers[1].err == OK);
		assert_int_equal(
			ALLOWED_ADDED + ALLOWED_HOST_TAKEN, racers[0].fate + racers[1].fate);
		assert_int_equal(1, database_count("SELECT count(*) FROM ek_allowed"));
	}
}

static void nothing_is_issued_on_the_allow_list_after_the_ek_was_removed(void **state)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct racer first = racer_of(*state, ADDS, 1, NULL);
		struct racer racers[2] = {racer_of(*state, ENROLLS, 1, "a.example.org"),
			racer_of(*state, REMOVES, 1, NULL)};

		database_do("TRUNCATE device, ek_allowed CASCADE");
		act(&first);
		assert_int_equal(OK, first.err);
		racers[0].attempt.trust_class = "allow-list";
		race(racers);
		assert_int_equal(OK, racers[1].err);
	}
	assert_int_equal(0, database_count("SELECT count(*) FROM audit AS one, audit AS next"
					   " WHERE one.event = 'ek.disallowed'"
					   " AND next.event = 'enroll.issued'"
					   " AND next.id = one.id + 1"));
}

/* An operator's options may set it. The steps would insist on what the first statement saw. */
static void an_isolation_level_that_shows_the_past_records_nothing(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	struct db *db = NULL;
	char conninfo[512];

	snprintf(conninfo, sizeof(conninfo),
		"%s options='-c default_transaction_isolation=repeatable\\\\ read'",
		database_conninfo());
	assert_int_equal(OK, db_open(conninfo, 1, 100, &db));
	attempt_lookup(&a);
	a.db = db;
	assert_int_equal(ERR_CONFLICT, attempt_record(&a));
	assert_non_null(strstr(why()->sentence, "repeatable read"));
	a.db = *state;
	assert_int_equal(OK, attempt_record(&a));
	db_close(&db);
	enrollment_facts_free(&a.facts);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_migrated, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_name_is_not_bound_to_one_ek_while_it_is_registered_for_another),
		TEST(an_ek_does_not_get_one_name_while_it_is_registered_for_another),
		TEST(of_two_imports_at_once_one_gets_the_name),
		TEST(nothing_is_issued_on_the_allow_list_after_the_ek_was_removed),
		TEST(an_isolation_level_that_shows_the_past_records_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
