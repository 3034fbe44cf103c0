/* test_weather_words.c - PostgreSQL answers, and not as it should: slow, read-only, locked, another
 * schema. */
#include "tests/flow/cluster.h"
#include "tests/flow/supervise.h"
#include "tests/flow/weather.h"

#include <cmocka.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICES 12
#define CONNECTIONS 8 /* of the service, unless it is told otherwise */

static struct world world;

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.pgproxy = true}, &world);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	return 0;
}

static void strike(const struct fault *fault)
{
	weather_strikes(&world, DEVICES, fault);
}

static void terminate_all(struct world *w)
{
	sql_number(w->conninfo, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
				" WHERE application_name = 'endorsed'");
}

static void slow_down(struct world *w)
{
	free(sql_text(w->conninfo,
		"CREATE TABLE slowness (seconds float);"
		" INSERT INTO slowness VALUES (0.5);"
		" CREATE FUNCTION be_slow() RETURNS trigger LANGUAGE plpgsql AS $$"
		" BEGIN PERFORM pg_sleep(seconds) FROM slowness; RETURN NULL; END $$"));
	for (size_t i = 0; i < 4; i++) {
		static const char *const tables[] = {"ak", "certificate", "ticket", "audit"};

		free(sql_text(w->conninfo,
			"CREATE TRIGGER slow AFTER INSERT ON %s FOR EACH STATEMENT"
			" EXECUTE FUNCTION be_slow()",
			tables[i]));
	}
}

/* The triggers stay: taking them away would need locks that the load holds in another order. */
static void speed_up(struct world *w)
{
	free(sql_text(w->conninfo, "DELETE FROM slowness"));
}

/* With five devices for each connection, who waits longest is told to come again. */
static void a_server_that_is_slow(void **state)
{
	(void)state;
	weather_strikes(&world, 40, &(struct fault){"slow", slow_down, speed_up, NULL, 3, 0});
}

static void allow_only_reading(struct world *w)
{
	const char *name = strstr(w->conninfo, "dbname=") + strlen("dbname=");

	free(sql_text(
		w->conninfo, "ALTER DATABASE %s SET default_transaction_read_only = on", name));
	terminate_all(w);
}

static void allow_writing(struct world *w)
{
	const char *name = strstr(w->conninfo, "dbname=") + strlen("dbname=");
	AUTO(mem_free) char *other = cluster_conninfo(cluster_socket(), "postgres");

	free(sql_text(other, "ALTER DATABASE %s RESET default_transaction_read_only", name));
}

static void a_server_that_only_reads(void **state)
{
	(void)state;
	strike(&(struct fault){
		"read-only", allow_only_reading, allow_writing, "read-only", DEVICES, 0});
}

static PGconn *holder;

/* Every connection is there, and behind its making. */
static bool pool_is_full(void *arg)
{
	struct world *w = arg;

	return sql_number(w->conninfo,
		       "SELECT count(*) FROM pg_stat_activity WHERE"
		       " application_name = 'endorsed' AND wait_event_type = 'Lock'") >=
	       CONNECTIONS;
}

/*
 * A connection that is made while the table is held cannot prepare what names it, and then says
 * "unreachable". What is told of those that are there already is asked here: each enrollment writes
 * a ticket, so all of them are made while nobody can.
 */
static void hold_hosts(struct world *w)
{
	holder = PQconnectdb(w->conninfo);
	PQclear(PQexec(holder, "BEGIN"));
	PQclear(PQexec(holder, "LOCK TABLE ticket IN SHARE MODE"));
	must(wait_until(pool_is_full, w, 10000), "the service does not use its connections");
	PQclear(PQexec(holder, "ROLLBACK"));
	PQclear(PQexec(holder, "BEGIN"));
	PQclear(PQexec(holder, "LOCK TABLE host IN ACCESS EXCLUSIVE MODE"));
	assert_int_equal(PQtransactionStatus(holder), PQTRANS_INTRANS);
}

static void let_hosts_go(struct world *w)
{
	(void)w;
	PQfinish(holder);
}

static void a_table_that_somebody_holds(void **state)
{
	(void)state;
	strike(&(struct fault){
		"locked", hold_hosts, let_hosts_go, "statement timeout", DEVICES, 0});
}

static void take_schema(struct world *w)
{
	free(sql_text(w->conninfo, "ALTER SCHEMA public RENAME TO elsewhere"));
}

static void bring_schema(struct world *w)
{
	free(sql_text(w->conninfo, "ALTER SCHEMA elsewhere RENAME TO public"));
}

static void a_schema_that_is_gone(void **state)
{
	(void)state;
	strike(&(struct fault){
		"schema gone", take_schema, bring_schema, "database-schema", DEVICES, 0});
}

static void migrate_further(struct world *w)
{
	free(sql_text(w->conninfo,
		"INSERT INTO schema_version (number, name, sha256) SELECT max(number) + 1, 'later',"
		" sha256('later') FROM schema_version"));
}

static void migrate_back(struct world *w)
{
	free(sql_text(w->conninfo, "DELETE FROM schema_version WHERE name = 'later'"));
}

/* During an upgrade the older servers go on as long as what they need is there. */
static void a_schema_that_is_newer(void **state)
{
	(void)state;
	strike(&(struct fault){
		"schema newer", migrate_further, migrate_back, "schema-newer", 0, 0});
}

static void rename_column(struct world *w)
{
	free(sql_text(w->conninfo, "ALTER TABLE audit RENAME COLUMN request_id TO whatever"));
}

static void name_it_back(struct world *w)
{
	free(sql_text(w->conninfo, "ALTER TABLE audit RENAME COLUMN whatever TO request_id"));
}

static void a_column_that_is_not_there(void **state)
{
	(void)state;
	strike(&(struct fault){
		"column gone", rename_column, name_it_back, "database-schema", DEVICES, 0});
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(a_server_that_is_slow),
		cmocka_unit_test(a_server_that_only_reads),
		cmocka_unit_test(a_table_that_somebody_holds),
		cmocka_unit_test(a_schema_that_is_gone),
		cmocka_unit_test(a_schema_that_is_newer),
		cmocka_unit_test(a_column_that_is_not_there),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
