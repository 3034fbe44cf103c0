#include "ca/base/clock.h"
#include "ca/base/crypt.h"
#include "db/connection.h"
#include "db/pool_connection.h"
#include "db/schema.h"

/*
 * The key is "endorse" in ASCII. The lock goes with the connection, however that ends. Another
 * server may be at it for a while, so we wait longer than anybody waits for an enrollment.
 */
static const char lock_schema[] =
	"SET statement_timeout = '120s'; SELECT pg_advisory_lock(28550350293332837)";
#define SCRIPT_WITHIN_MS 130000

/* These run while the schema may not be there, so none of them is prepared ahead. */
static const struct statement has_versions = {
	NULL, "SELECT to_regclass('schema_version') IS NOT NULL"};

static const struct statement list_versions = {
	NULL, "SELECT number::bigint, sha256 FROM schema_version ORDER BY number"};

static const struct statement add_version = {NULL,
	"INSERT INTO schema_version (number, name, sha256) VALUES ($1::bigint, $2::text, "
	"$3::bytea)"};

static const struct statement ask_state = {NULL,
	"SELECT current_setting('transaction_read_only')::boolean,"
	" extract(epoch FROM clock_timestamp())::bigint"};

static enum err script(PGconn *connection, const char *text)
{
	return connection_script(connection, text, SCRIPT_WITHIN_MS);
}

static enum err run(PGconn *connection, const struct statement *statement,
	enum err (*take)(const PGresult *rows, void *into), void *into)
{
	struct pipeline one = {.steps = {{.statement = statement}}, .n = 1};
	bool lost;

	step_take(&one, take, into);
	return connection_run(connection, &one, &lost);
}

static enum err take_bool(const PGresult *rows, void *into)
{
	*(bool *)into = row_bool(rows, 0, 0);
	return OK;
}

static struct view text_of(const struct schema_file *file)
{
	return (struct view){file->text, file->n};
}

/* What was applied must be the beginning of what we have. `into` gets how many files that is. */
static enum err take_versions(const PGresult *rows, void *into)
{
	size_t *applied = into;
	uint8_t ours[SHA256_SIZE];

	for (int i = 0; i < PQntuples(rows); i++) {
		int64_t number = row_int(rows, i, 0);

		if (number > (int64_t)schema_files_n)
			return fail(ERR_INTERNAL, "schema-newer",
				"the database has schema %d, this program knows %zu: run a newer "
				"one",
				(int)number, schema_files_n);
		if (number != i + 1)
			return fail(ERR_INTERNAL, "schema-changed",
				"schema file %d was never applied, a later one was", i + 1);
		TRY(SHA256_OF(ours, text_of(&schema_files[i])));
		if (!view_equal(row_bytes(rows, i, 1), VIEW(ours)))
			return fail(ERR_INTERNAL, "schema-changed",
				"schema file %04d_%s was applied with other content", i + 1,
				schema_files[i].name);
		*applied = (size_t)i + 1;
	}
	return OK;
}

static enum err count_applied(PGconn *connection, size_t *applied)
{
	bool any = false;

	*applied = 0;
	TRY(run(connection, &has_versions, take_bool, &any));
	return any ? run(connection, &list_versions, take_versions, applied) : OK;
}

static enum err note_version(PGconn *connection, const struct schema_file *file)
{
	uint8_t digest[SHA256_SIZE];
	struct pipeline note = {.n = 0};
	bool lost;

	TRY(SHA256_OF(digest, text_of(file)));
	STEP(&note, &add_version, value_int(file->number), value_text(file->name),
		value_bytes(VIEW(digest)));
	return connection_run(connection, &note, &lost);
}

/* The file and the row that says so, or neither. A file that ends the transaction itself would
 * leave the row outside it, so that is refused. */
static enum err apply_in_transaction(PGconn *connection, const struct schema_file *file)
{
	TRY(script(connection, "BEGIN"));
	TRY(script(connection, (const char *)file->text));
	if (PQtransactionStatus(connection) != PQTRANS_INTRANS)
		return fail(ERR_INTERNAL, "schema-failed", "it ends the transaction by itself");
	TRY(note_version(connection, file));
	return script(connection, "COMMIT");
}

static enum err apply(PGconn *connection, const struct schema_file *file)
{
	enum err err = apply_in_transaction(connection, file);

	if (err == OK || PQstatus(connection) == CONNECTION_BAD)
		return err;
	return fail(ERR_INTERNAL, "schema-failed", "%04u_%s: %s", file->number, file->name,
		why()->sentence);
}

enum err db_migrate(struct db *db)
{
	AUTO(connection_close) PGconn *connection = NULL;
	size_t applied;

	TRY(db_connect(db, &connection));
	TRY(script(connection, lock_schema));
	TRY(count_applied(connection, &applied));
	for (size_t i = applied; i < schema_files_n; i++)
		TRY(apply(connection, &schema_files[i]));
	return OK;
}

struct asked {
	bool is_read_only;
	int64_t clock;
};

static enum err take_asked(const PGresult *rows, void *into)
{
	*(struct asked *)into = (struct asked){row_bool(rows, 0, 0), row_int(rows, 0, 1)};
	return OK;
}

static enum err ask(PGconn *connection, struct asked *asked, size_t *applied)
{
	struct pipeline trip = {
		.steps = {{.statement = &ask_state}, {.statement = &list_versions}}, .n = 1};
	bool lost;

	step_take(&trip, take_asked, asked);
	trip.n = 2;
	step_take(&trip, take_versions, applied);
	return connection_run(connection, &trip, &lost);
}

/* On a connection of its own: that the pool is busy does not make this server unfit to serve. */
enum err db_ready(struct db *db)
{
	AUTO(connection_close) PGconn *connection = NULL;
	struct asked asked = {.is_read_only = true};
	size_t applied = 0;

	TRY(db_connect(db, &connection));
	if (ask(connection, &asked, &applied) != OK)
		return fail(ERR_BUSY, why()->code, "%s", why()->sentence);
	standing_hear_clock(db_standing(db), asked.clock);
	if (asked.is_read_only)
		return fail(ERR_BUSY, "database-refuses", "the database is read-only");
	if (applied < schema_files_n)
		return fail(ERR_BUSY, "database-schema",
			"%zu of %zu schema files are applied: endorsed migrates when it starts",
			applied, schema_files_n);
	TRY(db_clock_judge(db, clock_now()));
	return standing_judge(db_standing(db));
}
