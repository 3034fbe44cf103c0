/* pool.h - the connections to PostgreSQL, shared by all threads of the service. */
#pragma once

#include "ca/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct db; /* the pool; safe to use from any thread */

/*
 * Makes a pool of at most `size` connections; none is opened yet, so this succeeds while the server
 * is away. `conninfo` as libpq reads it (PostgreSQL 34.1.1). A call waits at most `wait_ms` for a
 * free connection and is then refused with ERR_BUSY "database-busy".
 * `*out` is the caller's, for db_close(); all connections must be back by then.
 */
CHECKED enum err db_open(const char *conninfo, unsigned size, unsigned wait_ms, struct db **out);
void db_close(struct db **db);

/* Is a password written in it? False for what is no connection string. */
bool db_has_password(const char *conninfo);

/*
 * Applies the numbered files of db/schema/ that the database does not have, under an advisory lock,
 * so that several servers may start at once. ERR_BUSY "database-unreachable"; ERR_INTERNAL
 * "schema-newer" (the database was made by a later version), "schema-changed" (a file that was
 * applied differs from ours), "schema-failed".
 */
CHECKED enum err db_migrate(struct db *db);

/*
 * Reachable, writable, with exactly our schema and our time, and was the last enrollment recorded that
 * was to be? ERR_BUSY with what is wrong otherwise.
 */
CHECKED enum err db_ready(struct db *db);

/*
 * Is `now` (seconds since 1970), which this server took from its clock, the database's time too, give
 * or take CLOCK_SKEW? The database's clock is the arbiter among several servers. What it said last is
 * carried on by a clock that cannot be set, so this asks nobody; before it said anything, all is
 * right. ERR_BUSY "clock-differs".
 */
CHECKED enum err db_clock_judge(struct db *db, int64_t now);
