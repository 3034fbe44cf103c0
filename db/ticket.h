/* ticket.h - the tickets that enrolled, kept for as long as a repeat may come. */
#pragma once

#include "db/pool.h"

#include <stdint.h>

/*
 * Deletes used tickets that are older than `age` seconds, which must be so much that none of them
 * opens any more. By the database's clock: a server whose own is far ahead deletes no ticket too
 * early. Errors of db_run().
 */
CHECKED enum err ticket_purge(struct db *db, int64_t age);
