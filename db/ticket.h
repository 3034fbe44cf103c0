/* ticket.h - the tickets that enrolled, kept for as long as a repeat may come. */
#pragma once

#include "db/pool.h"

#include <stdint.h>

/*
 * Deletes used tickets that are older than `before` (seconds since 1970), which must be so old that
 * none of them opens any more. Errors of db_run().
 */
CHECKED enum err ticket_purge(struct db *db, int64_t before);
