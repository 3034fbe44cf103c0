/* query.h - SQL: the one way in which this folder speaks with the server. Not for other folders. */
#pragma once

#include "ca/base/buf.h"
#include "db/pool.h"

#include <libpq-fe.h>

#define PIPELINE_MAX 25 /* steps of one pipeline */
#define VALUES_MAX 20 /* parameters of one statement */
#define PROSE_MAX 512 /* bytes of a value that is prose */

/*
 * A statement. With a name it is prepared on every connection when that is opened (connection.c
 * knows the lists); without one it is parsed each time. Parameters have their types by casts in the
 * text.
 */
struct statement {
	const char *name;
	const char *text;
};

/* A parameter; made by the functions below, borrows what it is made of. */
struct value {
	enum { VALUE_NULL, VALUE_TEXT, VALUE_PROSE, VALUE_BYTES, VALUE_INT } kind;
	const char *text;
	struct view bytes;
	uint8_t be[8];
};
/* For text and for anything that is written as text; NULL is NULL. */
struct value value_text(const char *text);
/* Text that others had a hand in: no CHECK may fire on it. Cut at PROSE_MAX bytes and made
 * printable(). */
struct value value_prose(const char *text);
/* For bytea and (16 bytes) uuid; an empty view is NULL. */
struct value value_bytes(struct view bytes);
/* For bigint. */
struct value value_int(int64_t v);
struct value value_bool(bool v);

/* One step of a pipeline. */
struct step {
	const struct statement *statement;
	struct value values[VALUES_MAX];
	size_t values_n;
	/* Gets the rows, after the whole pipeline has succeeded and is committed; NULL: not wanted. */
	enum err (*take)(const PGresult *rows, void *into);
	void *into;
};

/* Steps in the making: a row of step_add(), then db_run(), which refuses what did not fit. */
struct pipeline {
	struct step steps[PIPELINE_MAX];
	size_t n;
	bool failed;
};
void step_add(struct pipeline *pipeline, const struct statement *statement,
	const struct value *values, size_t values_n);
#define STEP(pipeline, statement, ...)                                                             \
	step_add(pipeline, statement, (const struct value[]){__VA_ARGS__},                         \
		COUNT(((const struct value[]){__VA_ARGS__})))
/* Has the rows of the step that was added last handed over. */
void step_take(
	struct pipeline *pipeline, enum err (*take)(const PGresult *rows, void *into), void *into);

/* What to do when the connection breaks after something was sent: nobody knows what became of it. */
enum when_lost { LOST_GIVE_UP, LOST_REPEAT_ONCE };

/*
 * Runs the steps on a connection of the pool as one pipeline with one Sync, which is one
 * transaction: all or nothing, and OK only after the commit. Only pipelines that read, or that may
 * be done twice, may be repeated. ERR_CONFLICT "database-moved": something that was read before is
 * not so any more (a unique constraint, insist(), a serialization failure, a deadlock). ERR_BUSY
 * "database-unreachable", "database-busy" (no connection free), "database-schema" (ours is not
 * there), "database-refuses" (read-only, full), "database-late" (a statement took too long, or waited too
 * long for a lock). ERR_INTERNAL "database-error": anything else.
 */
CHECKED enum err db_run(struct db *db, const struct pipeline *pipeline, enum when_lost when_lost);

/* The same on a connection of one's own; `*lost` when it can only be closed. */
CHECKED enum err connection_run(PGconn *connection, const struct pipeline *pipeline, bool *lost);

/*
 * The other way, for files of schema/: several statements in one text, without parameters, parsed
 * by the server, which has `within_ms` for all of it. Errors as above.
 */
CHECKED enum err connection_script(PGconn *connection, const char *text, unsigned within_ms);

/* Waits until the next result can be fetched without blocking; false when the connection broke, or
 * the deadline, by clock_ms(), has passed. */
bool connection_await(PGconn *connection, int64_t deadline);

/* What a result that is an error means, by its SQLSTATE (PostgreSQL, appendix A). */
CHECKED enum err result_error(const PGresult *result);

/* Fields of a row, which were asked for in binary. Callers know the type; a wrong size reads as 0. */
bool row_is_null(const PGresult *rows, int row, int column);
int64_t row_int(const PGresult *rows, int row, int column); /* bigint */
bool row_bool(const PGresult *rows, int row, int column); /* NULL is false */
struct view row_bytes(
	const PGresult *rows, int row, int column); /* bytea, uuid, text; NULL is empty */
/* Copies a field of text, cut to `room` bytes with its NUL; NULL is "". */
void row_text(const PGresult *rows, int row, int column, char *out, size_t room);
/* Copies a field of exactly `n` bytes; ERR_INTERNAL "database-error" otherwise. */
CHECKED enum err row_copy(const PGresult *rows, int row, int column, uint8_t *out, size_t n);
