#include "attempt.h"
#include "database.h"
#include "db/connection.h"
#include "db/pool_connection.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const struct statement one = {NULL, "SELECT 1::bigint"};

static enum err ask(struct db *db)
{
	struct pipeline pipeline = {.steps = {{.statement = &one}}, .n = 1};

	return db_run(db, &pipeline, LOST_GIVE_UP);
}

static void a_pool_opens_nothing_before_it_is_used(void **state)
{
	struct db *db = NULL;

	(void)state;
	assert_int_equal(OK, db_open("host=/nonexistent dbname=x", 4, 100, &db));
	assert_int_equal(ERR_BUSY, ask(db));
	assert_string_equal("database-unreachable", why()->code);
	db_close(&db);
	assert_null(db);
}

static void a_connection_string_that_is_none_is_refused_without_quoting_it(void **state)
{
	struct db *db = NULL;

	(void)state;
	assert_int_equal(ERR_INTERNAL, db_open("password=x s3cret", 4, 100, &db));
	assert_string_equal("database-conninfo", why()->code);
	assert_null(strstr(why()->sentence, "s3cret"));
	assert_null(db);
}

static void a_failed_connection_does_not_use_up_the_pool(void **state)
{
	struct db *db = NULL;

	(void)state;
	assert_int_equal(OK, db_open("host=/nonexistent dbname=x", 1, 0, &db));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ERR_BUSY, ask(db));
		assert_string_equal("database-unreachable", why()->code);
	}
	db_close(&db);
}

static void a_pool_in_full_use_refuses_after_the_wait(void **state)
{
	PGconn *lent;
	struct db *db = NULL;

	(void)state;
	assert_int_equal(OK, db_open(database_conninfo(), 1, 50, &db));
	assert_int_equal(OK, db_take(db, &lent));
	assert_int_equal(ERR_BUSY, ask(db));
	assert_string_equal("database-busy", why()->code);
	db_give(db, lent, true);
	assert_int_equal(OK, ask(db));
	db_close(&db);
}

static void *ask_often(void *of_db)
{
	for (int i = 0; i < 50; i++)
		if (ask(of_db) != OK)
			fprintf(stderr, "%s: %s\n", why()->code, why()->sentence);
	return NULL;
}

static void sixteen_threads_share_two_connections(void **state)
{
	void *dbs[16];
	struct db *db = NULL;

	(void)state;
	assert_int_equal(OK, db_open(database_conninfo(), 2, 10000, &db));
	for (size_t i = 0; i < COUNT(dbs); i++)
		dbs[i] = db;
	at_once(COUNT(dbs), ask_often, dbs);
	assert_in_range(database_count("SELECT count(*) FROM pg_stat_activity"
				       " WHERE application_name = 'endorsed'"),
		1, 2);
	db_close(&db);
}

static void terminate_all(void)
{
	database_do("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
		    " WHERE application_name = 'endorsed' AND pid <> pg_backend_pid()");
	while (database_count("SELECT count(*) FROM pg_stat_activity"
			      " WHERE application_name = 'endorsed'") > 0)
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

static void a_connection_that_the_server_ended_is_replaced_before_anything_is_sent(void **state)
{
	assert_int_equal(OK, ask(*state));
	for (int i = 0; i < 3; i++) {
		terminate_all();
		assert_int_equal(OK, ask(*state));
	}
}

static const struct statement find = {"find_host", NULL};

static enum err find_nobody(struct db *db)
{
	struct pipeline pipeline = {.n = 0};

	STEP(&pipeline, &find, value_text("nobody.example.org"));
	return db_run(db, &pipeline, LOST_GIVE_UP);
}

/* As behind a pooler that gives each transaction another session. */
static void a_connection_that_lost_its_statements_is_replaced(void **state)
{
	PGconn *connection;

	assert_int_equal(OK, db_take(*state, &connection));
	PQsetnonblocking(connection, 0);
	PQclear(PQexec(connection, "DISCARD ALL"));
	PQsetnonblocking(connection, 1);
	db_give(*state, connection, true);
	assert_int_equal(ERR_BUSY, find_nobody(*state));
	assert_string_equal("database-unreachable", why()->code);
	assert_int_equal(OK, find_nobody(*state));
}

static void *ask_until_it_fails(void *of_db)
{
	for (int i = 0; i < 50; i++)
		if (ask(of_db) != OK) {
			fprintf(stderr, "%s: %s\n", why()->code, why()->sentence);
			return of_db;
		}
	return NULL;
}

/* Superusers have no limit, so somebody else has to ask. */
static void a_pool_makes_do_with_the_connections_that_the_server_gives(void **state)
{
	pthread_t threads[8];
	struct db *db = NULL;
	char conninfo[512];

	(void)state;
	database_do("DO $$ BEGIN CREATE ROLE limited LOGIN CONNECTION LIMIT 2;"
		    " EXCEPTION WHEN duplicate_object THEN NULL; END $$");
	database_do("GRANT USAGE ON SCHEMA public TO limited");
	snprintf(conninfo, sizeof(conninfo), "%s user=limited", database_conninfo());
	assert_int_equal(OK, db_open(conninfo, 8, 10000, &db));
	if (ask(db) != OK)
		fail_msg("%s: %s", why()->code, why()->sentence);
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(0, pthread_create(&threads[i], NULL, ask_until_it_fails, db));
	for (size_t i = 0; i < COUNT(threads); i++) {
		void *failed;

		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	db_close(&db);
}

static void accept_and_say_nothing_more(int listener)
{
	/* AuthenticationOk and ReadyForQuery: PostgreSQL 55.7. */
	static const char hello[] = "R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
	char startup[4096];
	int fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0)
		if (read(fd, startup, sizeof(startup)) > 0 &&
			write(fd, hello, sizeof(hello) - 1) < 0)
			break;
}

static void *be_mute(void *arg)
{
	accept_and_say_nothing_more(*(const int *)arg);
	return NULL;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(0, bind(fd, (struct sockaddr *)&address, sizeof(address)));
	assert_int_equal(0, listen(fd, 8));
	return fd;
}

static void a_server_that_takes_connections_and_says_nothing_is_not_waited_for(void **state)
{
	char dir[] = "/tmp/endorse.XXXXXX", path[64], conninfo[128];
	struct db *db = NULL;
	struct timespec begin, end;
	pthread_t mute;
	int listener;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", dir);
	snprintf(conninfo, sizeof(conninfo), "host=%s user=x dbname=x", dir);
	listener = listen_at(path);
	assert_int_equal(0, pthread_create(&mute, NULL, be_mute, &listener));
	assert_int_equal(OK, db_open(conninfo, 1, 100, &db));
	clock_gettime(CLOCK_MONOTONIC, &begin);
	assert_int_equal(ERR_BUSY, ask(db));
	assert_string_equal("database-unreachable", why()->code);
	clock_gettime(CLOCK_MONOTONIC, &end);
	/* Three or four seconds for each try; a server that nobody gives up would take minutes. */
	assert_in_range(end.tv_sec - begin.tv_sec, 0, 30);
	db_close(&db);
	shutdown(listener, SHUT_RDWR);
	pthread_join(mute, NULL);
	close(listener);
	unlink(path);
	rmdir(dir);
}

/* A sequence is not rolled back, so it tells how often something was begun. */
static const struct statement count_up = {NULL, "SELECT nextval('begun')"};
static const struct statement hang_up = {NULL, "SELECT pg_terminate_backend(pg_backend_pid())"};

static int64_t begun(struct db *db, enum when_lost when_lost)
{
	struct pipeline pipeline = {
		.steps = {{.statement = &count_up}, {.statement = &hang_up}}, .n = 2};

	database_do("CREATE SEQUENCE begun");
	assert_int_equal(ERR_BUSY, db_run(db, &pipeline, when_lost));
	assert_string_equal("database-unreachable", why()->code);
	return database_count("SELECT last_value FROM begun");
}

static void what_writes_is_not_repeated_once_it_was_sent(void **state)
{
	assert_int_equal(1, begun(*state, LOST_GIVE_UP));
}

static void what_reads_is_repeated_once_on_a_fresh_connection(void **state)
{
	assert_int_equal(2, begun(*state, LOST_REPEAT_ONCE));
}

static void a_pool_over_a_database_without_our_schema_says_so(void **state)
{
	assert_int_equal(ERR_BUSY, ask(*state));
	assert_string_equal("database-schema", why()->code);
	assert_int_equal(OK, db_migrate(*state));
	assert_int_equal(OK, ask(*state));
}

static void the_operators_options_win_over_ours(void **state)
{
	/* Ours is 5 s; and all statements have to be prepared in the operator's time. */
	static const struct statement slow = {NULL, "SELECT pg_sleep(4)"};
	struct pipeline pipeline = {.steps = {{.statement = &slow}}, .n = 1};
	struct db *db = NULL;
	char conninfo[512];

	(void)state;
	snprintf(conninfo, sizeof(conninfo), "%s options='-c statement_timeout=2000'",
		database_conninfo());
	assert_int_equal(OK, db_open(conninfo, 1, 100, &db));
	assert_int_equal(ERR_BUSY, db_run(db, &pipeline, LOST_GIVE_UP));
	assert_string_equal("database-late", why()->code);
	assert_int_equal(OK, ask(db));
	db_close(&db);
}

static unsigned parameters(const char *text)
{
	unsigned most = 0;

	for (const char *at = strchr(text, '$'); at != NULL; at = strchr(at + 1, '$')) {
		unsigned number = (unsigned)strtoul(at + 1, NULL, 10);

		most = number > most ? number : most;
	}
	return most;
}

/*
 * What is read from end to end, because all of it is wanted, or because there is little of it however
 * large the fleet is. "*": every statement, or every table.
 */
static const struct {
	const char *statement, *table;
} whole[] = {
	{"*", "krl"}, /* one row */
	{"*", "revocation"}, /* one row */
	{"*", "audit_id_seq"}, /* one row */
	{"*", "issuer"}, /* CAs, of which there are a few in twenty years */
	{"*", "trusted"}, /* what was imported, and all of it is read */
	{"*", "operator"}, /* people */
	{"*", "operator_revoked"}, {"*", "api_token"}, /* programs of theirs */
	{"sum_all", "crl_shard"}, /* of all CRLs */
	{"statistics", "*"}, /* counts, and each stops at a number */
};

static bool is_word(const char *text, const char *word)
{
	size_t n = strlen(word);

	return strcmp(word, "*") == 0 ||
	       (strncmp(text, word, n) == 0 && (text[n] == ' ' || text[n] == '\0'));
}

static bool is_read_whole(const char *statement, const char *line)
{
	const char *table = strstr(line, " on ");

	for (size_t i = 0; table != NULL && i < COUNT(whole); i++)
		if (is_word(statement, whole[i].statement) && is_word(table + 4, whole[i].table))
			return true;
	return false;
}

/* A scan of a whole table, or of a whole index: one without a condition in the line below it. */
static bool is_scan_of_all(const char *line, const char *next)
{
	return strstr(line, "Seq Scan") != NULL ||
	       (strstr(line, "Index") != NULL && strstr(line, " Scan ") != NULL &&
		       strstr(next, "Index Cond") == NULL);
}

/* How many there are. */
static size_t tell_whole_scans(PGconn *connection, const char *name, const char *text)
{
	AUTO(buf_free) struct buf sql = BUF(1024);
	PGresult *plan;
	size_t found = 0;

	buf_fmt(&sql, "EXPLAIN (COSTS OFF) EXECUTE %s", name);
	for (unsigned i = 0, n = parameters(text); i < n; i++)
		buf_fmt(&sql, "%sNULL%s", i == 0 ? "(" : ",", i + 1 == n ? ")" : "");
	plan = PQexec(connection, buf_text(&sql));
	if (PQresultStatus(plan) != PGRES_TUPLES_OK)
		fail_msg("%s", PQerrorMessage(connection));
	for (int i = 0; i < PQntuples(plan); i++) {
		const char *line = PQgetvalue(plan, i, 0);
		const char *next = i + 1 < PQntuples(plan) ? PQgetvalue(plan, i + 1, 0) : "";

		if (!is_scan_of_all(line, next) || is_read_whole(name, line))
			continue;
		printf("%s: %s\n", name, line);
		found++;
	}
	PQclear(plan);
	return found;
}

/* Of all that a connection has prepared. */
static void assert_plans_use_indices(struct db *db)
{
	PGconn *connection;
	PGresult *all;
	size_t found = 0;

	assert_int_equal(OK, db_take(db, &connection));
	all = PQexec(
		connection, "SELECT name, statement FROM pg_prepared_statements ORDER BY name");
	assert_in_range(PQntuples(all), 150, 1000);
	for (int i = 0; i < PQntuples(all); i++)
		found += tell_whole_scans(connection, PQgetvalue(all, i, 0), PQgetvalue(all, i, 1));
	PQclear(all);
	db_give(db, connection, false);
	assert_int_equal(0, found);
}

static void every_statement_finds_its_rows_by_an_index_however_small_the_tables_are(void **state)
{
	char host[32];

	assert_plans_use_indices(*state);
	database_do("ANALYZE");
	assert_plans_use_indices(*state);
	for (unsigned i = 0; i < 20; i++) {
		struct attempt a = attempt_of(*state, i, host);

		snprintf(host, sizeof(host), "h%u.example.org", i);
		attempt_enroll(&a);
		enrollment_facts_free(&a.facts);
	}
	database_do(
		"INSERT INTO ek_allowed SELECT ek_digest, NULL, NULL, NULL, '{}', '', now(), 'w',"
		" 'y' FROM ek;"
		"INSERT INTO pending (attempt_id, ek_digest, ek_public, ak_name, code, sentence,"
		" source, first_at, last_at) SELECT substr(ek_digest, 1, 16), ek_digest,"
		" 'key', 'ak', 'ek-untrusted', '', '192.0.2.7', now(), now() FROM ek;"
		"INSERT INTO pending_ticket SELECT ek_digest, substr(ek_digest, 1, 16), now()"
		" FROM ek");
	database_do("ANALYZE");
	assert_plans_use_indices(*state);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_migrated, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_pool_opens_nothing_before_it_is_used),
		TEST(a_connection_string_that_is_none_is_refused_without_quoting_it),
		TEST(a_failed_connection_does_not_use_up_the_pool),
		TEST(a_pool_in_full_use_refuses_after_the_wait),
		TEST(sixteen_threads_share_two_connections),
		TEST(a_connection_that_the_server_ended_is_replaced_before_anything_is_sent),
		TEST(a_connection_that_lost_its_statements_is_replaced),
		TEST(a_pool_makes_do_with_the_connections_that_the_server_gives),
		TEST(a_server_that_takes_connections_and_says_nothing_is_not_waited_for),
		TEST(what_writes_is_not_repeated_once_it_was_sent),
		TEST(what_reads_is_repeated_once_on_a_fresh_connection),
		cmocka_unit_test_setup_teardown(a_pool_over_a_database_without_our_schema_says_so,
			database_empty, database_close),
		TEST(the_operators_options_win_over_ours),
		TEST(every_statement_finds_its_rows_by_an_index_however_small_the_tables_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
