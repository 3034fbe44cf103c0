/* What becomes of a shared transaction that is not answered, or too late. */
#include "attempt.h"
#include "ca/base/clock.h"
#include "database.h"
#include "db/company.h"
#include "db/health.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define ALL 24
#define LOCKED_OUT "FROM pg_locks WHERE NOT granted AND locktype = 'advisory'"
#define TICKETS "SELECT count(*) FROM ticket"

static const char *name_of(unsigned i)
{
	static char names[ALL][32];

	snprintf(names[i], sizeof(names[i]), "web-%u.example.org", i);
	return names[i];
}

static void *record_only(void *of_attempt)
{
	struct attempt *attempt = of_attempt;

	attempt->err = attempt_record(attempt);
	snprintf(attempt->code, sizeof(attempt->code), "%s", attempt->err == OK ? "" : why()->code);
	return NULL;
}

/* A pool of two: two hold it up, and those who come then share as soon as one of the two is through. */
enum { FIRST = 2, SHARING = FIRST + COMPANY_MAX, SLOW = SHARING - 3 };

/* The ticket's lock is `i` + 1. */
static void number_ticket(struct attempt *attempt, unsigned i)
{
	memset(attempt->ticket_digest, 0, DIGEST_SIZE);
	attempt->ticket_digest[7] = (uint8_t)(i + 1);
}

/* What a lock_timeout does, when it is time. */
static void lose_patience(void)
{
	database_until("SELECT count(*) " LOCKED_OUT, 1);
	database_do("SELECT pg_cancel_backend(pid) " LOCKED_OUT);
}

static void until_waiting(struct db *db, unsigned n)
{
	int64_t end = clock_ms() + 20000;
	struct db_together together;

	do {
		assert_true(clock_ms() < end);
		db_together(db, &together);
	} while (together.waiting < n);
}

static void one_that_waits_too_long_for_a_lock_takes_nobody_with_it(void **state)
{
	PGconn *first = PQconnectdb(database_conninfo()), *slow = PQconnectdb(database_conninfo());
	struct attempt attempts[SHARING];
	pthread_t threads[SHARING];
	struct db_together together;
	char conninfo[512];
	struct db *db;

	(void)state;
	snprintf(conninfo, sizeof(conninfo), "%s options='-c statement_timeout=0'",
		database_conninfo());
	assert_int_equal(OK, db_open(conninfo, FIRST, 20000, &db));
	for (unsigned i = 0; i < SHARING; i++) {
		attempts[i] = attempt_of(db, i, name_of(i));
		number_ticket(&attempts[i], i);
		attempt_lookup(&attempts[i]);
	}
	PQclear(PQexec(first, "SELECT pg_advisory_lock(1), pg_advisory_lock(2)"));
	PQclear(PQexec(slow, "SELECT pg_advisory_lock(8)")); /* SLOW */
	for (unsigned i = 0; i < SHARING; i++) {
		if (i == FIRST)
			database_until("SELECT count(*) " LOCKED_OUT, FIRST);
		assert_int_equal(0, pthread_create(&threads[i], NULL, record_only, &attempts[i]));
	}
	until_waiting(db, COMPANY_MAX);
	PQfinish(first);
	database_until(TICKETS, FIRST);
	lose_patience();
	database_until(TICKETS, SHARING - 1);
	lose_patience();
	for (unsigned i = 0; i < SHARING; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(i == SLOW ? ERR_BUSY : OK, attempts[i].err);
		assert_string_equal(i == SLOW ? "database-late" : "", attempts[i].code);
	}
	assert_int_equal(SHARING - 1, database_count(ATTEMPTS_WHOLE));
	db_together(db, &together);
	assert_int_equal(FIRST, together.transactions[1]);
	assert_int_equal(1, together.transactions[COMPANY_MAX]);
	assert_int_equal(1, together.apart);
	PQfinish(slow);
	assert_int_equal(OK, attempt_record(&attempts[SLOW]));
	for (unsigned i = 0; i < SHARING; i++)
		enrollment_facts_free(&attempts[i].facts);
	db_close(&db);
}

#define COMMITTED "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"

/* From now on a commit, once it is done, waits for a standby that there is not. */
static void have_commits_wait(void)
{
	PGconn *one = PQconnectdb(database_conninfo());
	int64_t end = clock_ms() + 20000;

	database_do("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
	database_do("SELECT pg_reload_conf()");
	PQsetnonblocking(one, 1);
	while (database_count("SELECT count(*) " COMMITTED) == 0) {
		assert_true(clock_ms() < end);
		PQconsumeInput(one);
		while (!PQisBusy(one)) {
			PGresult *result = PQgetResult(one);

			PQclear(result);
			if (result == NULL)
				PQsendQuery(one, "SELECT pg_logical_emit_message(true, '', '')");
			PQflush(one);
		}
	}
	PQfinish(one);
}

static int commits_wait_no_more(void **state)
{
	database_do("ALTER SYSTEM RESET synchronous_standby_names");
	database_do("SELECT pg_reload_conf()");
	return database_close(state);
}

/* NULL: who cuts off whoever has committed, before he is told. */
static void *record_or_cut_off(void *of_attempt)
{
	int64_t end = clock_ms() + 20000;

	if (of_attempt != NULL)
		return record_only(of_attempt);
	while (database_count(TICKETS) < ALL) {
		assert_true(clock_ms() < end);
		database_do("SELECT pg_terminate_backend(pid) " COMMITTED);
	}
	return NULL;
}

static void who_is_not_told_of_the_commit_finds_it_by_his_ticket(void **state)
{
	struct attempt attempts[ALL];
	void *arguments[ALL + 1] = {NULL};

	for (unsigned i = 0; i < ALL; i++) {
		attempts[i] = attempt_of(*state, i, name_of(i));
		attempt_lookup(&attempts[i]);
		arguments[i] = &attempts[i];
	}
	have_commits_wait();
	at_once(ALL + 1, record_or_cut_off, arguments);
	assert_int_equal(ALL, database_count(ATTEMPTS_WHOLE));
	assert_true(database_count(ATTEMPTS_SHARED) > 0);
	for (unsigned i = 0; i < ALL; i++) {
		const struct enrollment_facts *facts = &attempts[i].facts;

		assert_int_equal(ERR_BUSY, attempts[i].err);
		assert_string_equal("database-unreachable", attempts[i].code);
		attempt_lookup(&attempts[i]);
		assert_true(facts->ticket_used);
		assert_memory_equal(
			attempts[i].request_digest, facts->ticket_request_digest, DIGEST_SIZE);
		assert_int_equal(1, facts->certificates_n);
		assert_memory_equal(attempts[i].serial, facts->certificates[0].serial, 16);
		enrollment_facts_free(&attempts[i].facts);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			one_that_waits_too_long_for_a_lock_takes_nobody_with_it, database_migrated,
			database_close),
		cmocka_unit_test_setup_teardown(
			who_is_not_told_of_the_commit_finds_it_by_his_ticket, database_migrated,
			commits_wait_no_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
