#include "database.h"

#include "ca/base/clock.h"
#include "ca/base/mem.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *database_conninfo(void)
{
	const char *conninfo = getenv("ENDORSE_TEST_DB");

	if (conninfo == NULL || *conninfo == '\0')
		fail_msg("ENDORSE_TEST_DB names no database: run this test by with-postgres");
	return conninfo;
}

static void no_notice(void *unused, const char *notice)
{
	(void)unused;
	(void)notice;
}

/* Simple protocol, text results. */
static PGresult *ask(PGconn **connection, const char *sql)
{
	*connection = PQconnectdb(database_conninfo());
	if (PQstatus(*connection) != CONNECTION_OK)
		fail_msg("%s", PQerrorMessage(*connection));
	PQsetNoticeProcessor(*connection, no_notice, NULL);
	return PQexec(*connection, sql);
}

const char *database_try(const char *sql)
{
	static _Thread_local char state[6];
	PGconn *connection;
	PGresult *result = ask(&connection, sql);
	const char *given = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	snprintf(state, sizeof(state), "%s", given == NULL ? "" : given);
	PQclear(result);
	PQfinish(connection);
	return state;
}

void database_do(const char *sql)
{
	const char *state = database_try(sql);

	if (*state != '\0')
		fail_msg("SQLSTATE %s: %s", state, sql);
}

char *database_text(const char *sql)
{
	PGconn *connection;
	PGresult *result = ask(&connection, sql);
	char *text = NULL;

	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1)
		fail_msg("%s: %s", sql, PQerrorMessage(connection));
	text = strdup(PQgetvalue(result, 0, 0));
	PQclear(result);
	PQfinish(connection);
	return text;
}

int64_t database_count(const char *sql)
{
	AUTO(mem_free) char *text = database_text(sql);

	return strtoll(text, NULL, 10);
}

void database_until(const char *sql, int64_t n)
{
	int64_t end = clock_ms() + 20000;

	/* Connections that end take a moment, and there are only so many. */
	for (; database_count(sql) < n; nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL))
		if (clock_ms() > end)
			fail_msg("never %lld: %s", (long long)n, sql);
}

int database_empty(void **state)
{
	struct db *db = NULL;

	database_do("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
	assert_int_equal(OK, db_open(database_conninfo(), 8, 5000, &db));
	*state = db;
	return 0;
}

int database_migrated(void **state)
{
	database_empty(state);
	if (db_migrate(*state) != OK)
		fail_msg("%s: %s", why()->code, why()->sentence);
	return 0;
}

int database_close(void **state)
{
	struct db *db = *state;

	db_close(&db);
	return 0;
}

int database_unadministered(void **state)
{
	(void)state;
	database_do("ALTER TABLE audit DISABLE TRIGGER audit_append_only;"
		    "TRUNCATE operator, operator_revoked, api_token, audit;"
		    "ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_append_only");
	return 0;
}

struct runner {
	pthread_t thread;
	pthread_barrier_t *start;
	void *(*act)(void *);
	void *argument;
};

static void *start_together(void *of_runner)
{
	struct runner *runner = of_runner;

	pthread_barrier_wait(runner->start);
	return runner->act(runner->argument);
}

void at_once(unsigned n, void *(*act)(void *), void *const *arguments)
{
	AUTO(mem_free) struct runner *runners = calloc(n, sizeof(*runners));
	pthread_barrier_t start;

	assert_non_null(runners);
	assert_int_equal(0, pthread_barrier_init(&start, NULL, n));
	for (unsigned i = 0; i < n; i++) {
		runners[i] = (struct runner){.start = &start, .act = act, .argument = arguments[i]};
		assert_int_equal(
			0, pthread_create(&runners[i].thread, NULL, start_together, &runners[i]));
	}
	for (unsigned i = 0; i < n; i++)
		pthread_join(runners[i].thread, NULL);
	pthread_barrier_destroy(&start);
}
