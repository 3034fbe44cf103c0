#include "db/query.h"

#include "ca/base/clock.h"
#include "ca/base/printable.h"
#include "db/pool_connection.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The server stops a slow statement by itself before this; it is for one that is frozen. */
#define ANSWER_WITHIN_MS 10000

struct value value_text(const char *text)
{
	return (struct value){.kind = text == NULL ? VALUE_NULL : VALUE_TEXT, .text = text};
}

struct value value_prose(const char *text)
{
	return (struct value){.kind = text == NULL ? VALUE_NULL : VALUE_PROSE, .text = text};
}

struct value value_bytes(struct view bytes)
{
	return (struct value){.kind = bytes.n == 0 ? VALUE_NULL : VALUE_BYTES, .bytes = bytes};
}

struct value value_int(int64_t v)
{
	struct value value = {.kind = VALUE_INT};

	for (int i = 7; i >= 0; i--, v >>= 8)
		value.be[i] = (uint8_t)v;
	return value;
}

struct value value_bool(bool v)
{
	return value_text(v ? "true" : "false");
}

void step_add(struct pipeline *pipeline, const struct statement *statement,
	const struct value *values, size_t values_n)
{
	struct step *step = &pipeline->steps[pipeline->n];

	if (pipeline->n == PIPELINE_MAX || values_n > VALUES_MAX) {
		pipeline->failed = true;
		return;
	}
	*step = (struct step){.statement = statement, .values_n = values_n};
	if (values_n > 0)
		memcpy(step->values, values, values_n * sizeof(*values));
	pipeline->n++;
}

void step_take(
	struct pipeline *pipeline, enum err (*take)(const PGresult *rows, void *into), void *into)
{
	if (pipeline->failed)
		return;
	pipeline->steps[pipeline->n - 1].take = take;
	pipeline->steps[pipeline->n - 1].into = into;
}

static enum err lost(const char *what)
{
	return fail(ERR_BUSY, "database-unreachable", "%s", what);
}

/* What an SQLSTATE (PostgreSQL, appendix A) or its class means for us; the first that fits. */
static const struct {
	const char *state;
	enum err err;
	const char *code;
} meanings[] = {
	{"23505", ERR_CONFLICT, "database-moved"}, /* unique_violation */
	{"EN001", ERR_CONFLICT, "database-moved"}, /* insist() */
	{"40", ERR_CONFLICT, "database-moved"}, /* serialization failure, deadlock: rolled back */
	{"08", ERR_BUSY, "database-unreachable"}, /* connection exception */
	{"57P", ERR_BUSY, "database-unreachable"}, /* shut down, starting up, terminated */
	{"533", ERR_BUSY, "database-unreachable"}, /* too many connections */
	{"25006", ERR_BUSY, "database-refuses"}, /* read only */
	{"53", ERR_BUSY, "database-refuses"}, /* disk full, out of memory */
	{"55P03", ERR_BUSY, "database-late"}, /* lock not available in time */
	{"57014", ERR_BUSY, "database-late"}, /* statement_timeout */
	{"58", ERR_BUSY, "database-refuses"}, /* the server's disk and files */
	{"42501", ERR_BUSY, "database-refuses"}, /* a privilege was taken from us */
	{"26000", ERR_BUSY, "database-unreachable"}, /* a prepared statement is gone, */
	{"0A000", ERR_BUSY, "database-unreachable"}, /* or the schema moved under it */
	{"42P01", ERR_BUSY, "database-schema"}, /* no such table, */
	{"42703", ERR_BUSY, "database-schema"}, /* column, */
	{"42704", ERR_BUSY, "database-schema"}, /* type */
	{"42883", ERR_BUSY, "database-schema"}, /* or function */
	{"", ERR_INTERNAL, "database-error"},
};

/* Says only what the server's main message says: DETAIL would quote the row. */
enum err result_error(const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	size_t i = 0;

	if (state == NULL)
		return lost("the connection broke");
	while (strncmp(meanings[i].state, state, strlen(meanings[i].state)) != 0)
		i++;
	return fail(meanings[i].err, meanings[i].code, "SQLSTATE %s: %s", state,
		message == NULL ? "" : message);
}

bool connection_await(PGconn *connection, int64_t deadline)
{
	for (;;) {
		struct pollfd fd = {.fd = PQsocket(connection), .events = POLLIN};
		int64_t left = deadline - clock_ms();
		int unsent = PQflush(connection);

		if (unsent < 0)
			return false;
		if (unsent == 0 && !PQisBusy(connection))
			return true;
		if (unsent > 0)
			fd.events |= POLLOUT;
		if (left <= 0 || (poll(&fd, 1, (int)left) < 0 && errno != EINTR))
			return false;
		if (!PQconsumeInput(connection))
			return false;
	}
}

/* A copy of the text that every CHECK on prose accepts; for free(). */
static char *prose(const char *text)
{
	char *copy = malloc(PROSE_MAX + 1);

	if (copy != NULL)
		printable(text, copy, PROSE_MAX + 1);
	return copy;
}

static bool send_step(PGconn *connection, const struct step *step)
{
	const char *values[VALUES_MAX] = {NULL};
	char *copies[VALUES_MAX] = {NULL};
	int sizes[VALUES_MAX] = {0}, binary[VALUES_MAX] = {0};
	int n = (int)step->values_n;
	bool sent = true;

	for (int i = 0; i < n; i++) {
		const struct value *value = &step->values[i];

		if (value->kind == VALUE_TEXT)
			values[i] = value->text;
		if (value->kind == VALUE_PROSE)
			sent = (values[i] = copies[i] = prose(value->text)) != NULL && sent;
		binary[i] = value->kind == VALUE_BYTES || value->kind == VALUE_INT;
		if (binary[i]) {
			bool is_int = value->kind == VALUE_INT;

			values[i] = (const char *)(is_int ? value->be : value->bytes.p);
			sizes[i] = (int)(is_int ? sizeof(value->be) : value->bytes.n);
		}
	}
	if (sent && step->statement->name != NULL)
		sent = PQsendQueryPrepared(
			connection, step->statement->name, n, values, sizes, binary, 1);
	else if (sent)
		sent = PQsendQueryParams(
			connection, step->statement->text, n, NULL, values, sizes, binary, 1);
	for (int i = 0; i < n; i++)
		free(copies[i]);
	return sent;
}

/* The results of a pipeline, one for each step. */
struct results {
	PGresult *of[PIPELINE_MAX];
	/* The server gave it up because of the time it took: query_canceled, lock_not_available. */
	bool is_late;
};

static bool is_late(const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	return state != NULL && (strcmp(state, "57014") == 0 || strcmp(state, "55P03") == 0);
}

static void results_free(struct results *results)
{
	for (size_t i = 0; i < PIPELINE_MAX; i++)
		PQclear(results->of[i]);
}

/*
 * Reads up to the answer to the Sync. `*lost` until that has come. The first error counts: those
 * after it only say that the pipeline was aborted. An error may also come in place of the answer to
 * the Sync: the commit itself failed.
 */
static enum err receive(PGconn *connection, struct results *results, size_t n, bool *is_lost)
{
	int64_t deadline = clock_ms() + ANSWER_WITHIN_MS;
	enum err err = OK;
	size_t step = 0;

	for (unsigned ends = 0; ends < 2;) {
		PGresult *result;

		if (!connection_await(connection, deadline))
			return err != OK ? err : lost("the connection broke, or no answer in time");
		if ((result = PQgetResult(connection)) == NULL) {
			ends++;
			step++;
			continue;
		}
		ends = 0;
		switch (PQresultStatus(result)) {
		case PGRES_PIPELINE_SYNC:
			PQclear(result);
			*is_lost = false;
			return err;
		case PGRES_TUPLES_OK:
		case PGRES_COMMAND_OK:
			if (step < n && results->of[step] == NULL) {
				results->of[step] = result;
				continue;
			}
			break;
		default:
			if (err == OK) {
				results->is_late = is_late(result);
				err = result_error(result);
			}
			break;
		}
		PQclear(result);
	}
	return err != OK ? err : lost("the connection broke");
}

static enum err hand_over(const struct pipeline *pipeline, const struct results *results)
{
	for (size_t i = 0; i < pipeline->n; i++) {
		if (results->of[i] == NULL)
			return fail(ERR_INTERNAL, "database-error", "a step without a result");
		if (pipeline->steps[i].take != NULL)
			TRY(pipeline->steps[i].take(results->of[i], pipeline->steps[i].into));
	}
	return OK;
}

static enum err run_on(
	PGconn *connection, const struct pipeline *pipeline, struct results *results, bool *is_lost)
{
	bool sent = true;
	enum err err;

	*is_lost = true;
	if (pipeline->failed)
		return fail(ERR_INTERNAL, "database-error",
			"more steps or values than there is room for");
	if (!PQenterPipelineMode(connection))
		return lost("the connection broke");
	for (size_t i = 0; i < pipeline->n && sent; i++)
		sent = send_step(connection, &pipeline->steps[i]);
	if (!sent || !PQpipelineSync(connection))
		return lost("the connection broke while the request was sent");
	err = receive(connection, results, pipeline->n, is_lost);
	if (!*is_lost)
		*is_lost = !PQexitPipelineMode(connection);
	return err != OK ? err : hand_over(pipeline, results);
}

enum err connection_run(PGconn *connection, const struct pipeline *pipeline, bool *is_lost)
{
	AUTO(results_free) struct results results = {.is_late = false};

	return run_on(connection, pipeline, &results, is_lost);
}

enum err connection_script(PGconn *connection, const char *text, unsigned within_ms)
{
	int64_t deadline = clock_ms() + within_ms;
	PGresult *result;
	enum err err = OK;

	if (!PQsendQuery(connection, text))
		return lost("the connection broke while the request was sent");
	for (;;) {
		ExecStatusType status;

		if (!connection_await(connection, deadline))
			return lost("the connection broke, or no answer in time");
		if ((result = PQgetResult(connection)) == NULL)
			return err;
		status = PQresultStatus(result);
		if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && err == OK)
			err = result_error(result);
		PQclear(result);
	}
}

/*
 * A connection is kept only when the server did what we wanted, said that somebody was faster, or that
 * it took too long: where somebody holds a table, a fresh one could not even prepare its statements.
 * After anything else a fresh one is better: it finds the new primary, the new schema, the prepared
 * statements.
 */
static enum err run_once(struct db *db, const struct pipeline *pipeline, bool *broke)
{
	AUTO(results_free) struct results results = {.is_late = false};
	PGconn *connection;
	enum err err;
	bool is_lost;

	*broke = false;
	TRY(db_take(db, &connection));
	err = run_on(connection, pipeline, &results, &is_lost);
	*broke = is_lost && PQstatus(connection) == CONNECTION_BAD;
	db_give(db, connection, !is_lost && (err == OK || err == ERR_CONFLICT || results.is_late));
	return err;
}

enum err db_run(struct db *db, const struct pipeline *pipeline, enum when_lost when_lost)
{
	bool broke;
	enum err err = run_once(db, pipeline, &broke);

	if (broke && when_lost == LOST_REPEAT_ONCE)
		err = run_once(db, pipeline, &broke);
	return err;
}

bool row_is_null(const PGresult *rows, int row, int column)
{
	return PQgetisnull(rows, row, column) != 0;
}

int64_t row_int(const PGresult *rows, int row, int column)
{
	struct view bytes = row_bytes(rows, row, column);
	uint64_t v = 0;

	for (size_t i = 0; bytes.n == 8 && i < 8; i++)
		v = v << 8 | bytes.p[i];
	return (int64_t)v;
}

bool row_bool(const PGresult *rows, int row, int column)
{
	struct view bytes = row_bytes(rows, row, column);

	return bytes.n == 1 && bytes.p[0] != 0;
}

struct view row_bytes(const PGresult *rows, int row, int column)
{
	if (row_is_null(rows, row, column))
		return (struct view){NULL, 0};
	return (struct view){(const uint8_t *)PQgetvalue(rows, row, column),
		(size_t)PQgetlength(rows, row, column)};
}

enum err row_copy(const PGresult *rows, int row, int column, uint8_t *out, size_t n)
{
	struct view bytes = row_bytes(rows, row, column);

	if (bytes.p == NULL || bytes.n != n)
		return fail(
			ERR_INTERNAL, "database-error", "%zu bytes where %zu belong", bytes.n, n);
	memcpy(out, bytes.p, n);
	return OK;
}

void row_text(const PGresult *rows, int row, int column, char *out, size_t room)
{
	struct view text = row_bytes(rows, row, column);

	snprintf(out, room, "%.*s", (int)text.n, text.p == NULL ? "" : (const char *)text.p);
}
