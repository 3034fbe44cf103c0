#include "ca/base/clock.h"
#include "db/pool.h"
#include "tests/bench/endorse-bench/floor/cluster.h"
#include "tests/bench/endorse-bench/floor/part.h"
#include "tests/bench/endorse-bench/floor/pgbench.h"
#include "tests/bench/endorse-bench/process_stat.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	WARM = 1000, /* devices that are there before anything is measured */
	BLOCK = 100, /* transactions at least */
	BLOCK_MS = 250,
	BACKENDS = 16,
	PATIENCE_MS = 60000,
};

/*
 * pgbench stands still between the blocks, and while its backends' clocks are read: so what is counted is
 * theirs alone, and belongs to the transactions that were counted.
 */
struct database {
	struct floor_cluster *cluster; /* NULL: somebody else's */
	PGconn *admin, *watch; /* to what was there, and to the database of our own */
	char name[40];
	bool is_made;
	char *conninfo;
	struct pgbench *pgbench;
	pid_t backends[BACKENDS];
	size_t backends_n;
};

static void result_clear(PGresult **result)
{
	PQclear(*result);
	*result = NULL;
}

static enum err run_sql(PGconn *connection, const char *sql, PGresult **rows)
{
	AUTO(result_clear) PGresult *result = PQexec(connection, sql);
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		return fail(
			ERR_INTERNAL, "floor-database", "%s: %s", sql, PQerrorMessage(connection));
	if (rows != NULL)
		*rows = MOVE(result);
	return OK;
}

static void drop(struct database *database)
{
	char sql[100];

	if (!database->is_made || database->cluster != NULL)
		return;
	snprintf(sql, sizeof(sql), "DROP DATABASE IF EXISTS %s WITH (FORCE)", database->name);
	if (run_sql(database->admin, sql, NULL) != OK)
		fprintf(stderr, "endorse-bench: %s\n", why()->sentence);
}

static void database_free(void *state)
{
	struct database *database = state;

	if (database == NULL)
		return;
	pgbench_free(&database->pgbench);
	PQfinish(database->watch);
	drop(database);
	PQfinish(database->admin);
	floor_cluster_free(&database->cluster);
	free(database->conninfo);
	free(database);
}

static void state_free(struct database **state)
{
	database_free(*state);
	*state = NULL;
}

static enum err connect_to(const char *conninfo, PGconn **out)
{
	*out = PQconnectdb(conninfo);
	if (PQstatus(*out) != CONNECTION_OK)
		return fail(ERR_INTERNAL, "floor-database", "%s", PQerrorMessage(*out));
	return OK;
}

/* A conninfo's last "dbname" counts. */
static enum err make_ours(struct database *database, const char *conninfo, bool is_bare)
{
	AUTO(mem_free) char *create = NULL;

	snprintf(database->name, sizeof(database->name), "endorse_floor_%d%s", (int)getpid(),
		is_bare ? "_bare" : "");
	if (asprintf(&create, "CREATE DATABASE %s", database->name) < 0 ||
		asprintf(&database->conninfo, "%s dbname=%s", conninfo, database->name) < 0)
		return fail(ERR_INTERNAL, "out-of-memory", "database");
	TRY(connect_to(conninfo, &database->admin));
	TRY(run_sql(database->admin, create, NULL));
	database->is_made = true;
	return OK;
}

static enum err migrate(const char *conninfo)
{
	struct db *db = NULL;
	enum err err;

	TRY(db_open(conninfo, 1, 10000, &db));
	err = db_migrate(db);
	db_close(&db);
	return err;
}

/*
 * What keeps nonsense out, and what is there to be searched by: the product pays for it, and whoever
 * wants to know how much finds it here.
 */
static const char strip[] =
	"DO $$ DECLARE act text; BEGIN"
	" FOR act IN"
	"  SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname)"
	"   FROM pg_constraint WHERE contype IN ('c', 'f') AND conrelid <> 0"
	"    AND connamespace = 'public'::regnamespace"
	"  UNION ALL SELECT format('ALTER DOMAIN %s DROP CONSTRAINT %I', contypid::regtype, "
	"conname)"
	"   FROM pg_constraint WHERE contypid <> 0 AND connamespace = 'public'::regnamespace"
	"  UNION ALL SELECT format('DROP INDEX %s', indexrelid::regclass)"
	"   FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
	"   WHERE NOT indisunique AND relnamespace = 'public'::regnamespace"
	"  UNION ALL SELECT format('ALTER TABLE %s DISABLE TRIGGER USER', tgrelid::regclass)"
	"   FROM pg_trigger WHERE NOT tgisinternal"
	" LOOP EXECUTE act; END LOOP; END $$";

static enum err count(struct database *database, unsigned *n)
{
	AUTO(result_clear) PGresult *rows = NULL;

	TRY(run_sql(database->watch, "SELECT count(*) FROM ticket", &rows));
	*n = (unsigned)strtoul(PQgetvalue(rows, 0, 0), NULL, 10);
	return OK;
}

static enum err find_backends(struct database *database)
{
	AUTO(result_clear) PGresult *rows = NULL;

	TRY(run_sql(database->watch,
		"SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
		" AND backend_type = 'client backend' AND pid <> pg_backend_pid()",
		&rows));
	for (int i = 0; i < PQntuples(rows) && i < BACKENDS; i++)
		database->backends[database->backends_n++] =
			(pid_t)strtol(PQgetvalue(rows, i, 0), NULL, 10);
	if (database->backends_n == 0)
		return fail(ERR_INTERNAL, "floor-database", "pgbench has no connection");
	return OK;
}

static enum err read_clocks(const struct database *database, uint64_t *ns)
{
	*ns = 0;
	for (size_t i = 0; i < database->backends_n; i++) {
		struct process_stat stat;

		if (!process_stat(database->backends[i], &stat))
			return fail(ERR_INTERNAL, "floor-database",
				"the backend %d is not a process of this machine",
				(int)database->backends[i]);
		*ns += stat.cpu_ns;
	}
	return OK;
}

/* Until the backends have done what they were sent: their clocks stand still. */
static enum err settle(struct database *database, uint64_t *ns)
{
	int64_t end = clock_ms() + PATIENCE_MS;
	uint64_t before = 0;
	unsigned still = 0;

	TRY(pgbench_stop(database->pgbench));
	while (still < 3) {
		TRY(read_clocks(database, ns));
		still = *ns == before ? still + 1 : 0;
		before = *ns;
		if (clock_ms() > end)
			return fail(ERR_INTERNAL, "floor-database", "the backends do not rest");
		usleep(4000);
	}
	return OK;
}

/* Plans are made anew once the tables have some rows, as those of a service that has run for a day. */
static enum err warm_up(struct database *database)
{
	int64_t end = clock_ms() + PATIENCE_MS;
	uint64_t ns;
	unsigned n = 0;

	while (n < WARM) {
		TRY(pgbench_run(database->pgbench, BLOCK_MS));
		TRY(count(database, &n));
		if (clock_ms() > end)
			return fail(ERR_INTERNAL, "floor-database",
				"%u transactions in a minute: this machine is too busy", n);
	}
	TRY(find_backends(database));
	TRY(settle(database, &ns));
	return run_sql(database->watch, "ANALYZE", NULL);
}

static enum err make(const struct floor_plan *plan, bool is_bare, void **state)
{
	AUTO(state_free) struct database *database = calloc(1, sizeof(*database));
	const char *conninfo = plan->database;

	if (database == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "database");
	if (conninfo == NULL) {
		TRY(floor_cluster_make(&database->cluster));
		conninfo = floor_cluster_conninfo(database->cluster);
	}
	TRY(make_ours(database, conninfo, is_bare));
	TRY(migrate(database->conninfo));
	TRY(connect_to(database->conninfo, &database->watch));
	if (is_bare)
		TRY(run_sql(database->watch, strip, NULL));
	TRY(pgbench_start(database->conninfo, &database->pgbench));
	TRY(warm_up(database));
	*state = MOVE(database);
	return OK;
}

static enum err database_make(const struct floor_plan *plan, void **state)
{
	return make(plan, false, state);
}

static enum err bare_make(const struct floor_plan *plan, void **state)
{
	return make(plan, true, state);
}

static enum err database_run(void *state, unsigned *n, uint64_t *ns)
{
	struct database *database = state;
	int64_t end = clock_ms() + PATIENCE_MS;
	uint64_t before, after;
	unsigned first, last;

	TRY(settle(database, &before));
	TRY(count(database, &first));
	do {
		TRY(pgbench_run(database->pgbench, BLOCK_MS));
		TRY(settle(database, &after));
		TRY(count(database, &last));
	} while (last - first < BLOCK && clock_ms() < end);
	*n = last - first;
	*ns = after - before;
	return OK;
}

const struct part part_database = {0, database_make, database_run, database_free};
const struct part part_bare_database = {0, bare_make, database_run, database_free};
