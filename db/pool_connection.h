/* pool_connection.h - lending connections of the pool. Not for other folders. */
#pragma once

#include "db/company.h"
#include "db/query.h"
#include "db/standing.h"

/*
 * A connection that was alive a moment ago: a fresh one where those in the pool have died. Waits
 * for a free one as db_open() says, also when the server gives us no more than we have. To be given
 * back with db_give(). ERR_BUSY "database-busy", "database-unreachable", "database-schema".
 */
CHECKED enum err db_take(struct db *db, PGconn **connection);
/* Gives it back after one trip, which is counted; one that is not usable any more is closed. */
void db_give(struct db *db, PGconn *connection, bool is_usable);

/* What is known of the database; the pool's. */
struct standing *db_standing(struct db *db);

/* Where those meet who have an enrollment to record. */
struct company *db_records(struct db *db);
/* And those who enroll and look what is known. */
struct company *db_lookups(struct db *db);

/* A connection beside the pool, without prepared statements; for connection_close(). */
CHECKED enum err db_connect(struct db *db, PGconn **connection);
