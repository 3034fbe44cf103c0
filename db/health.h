/* health.h - how the database and our connections to it are, for who looks before anything fails. */
#pragma once

#include "db/pool.h"

#include <stdint.h>

struct db_health {
	int64_t ahead_ms; /* how far the database's clock is ahead of ours */
	unsigned lent, size; /* connections of the pool in use, and how many it may have */
};

/* How many connections of the pool are lent, of how many; asks nobody. */
void db_usage(struct db *db, unsigned *lent, unsigned *size);

/*
 * How often a connection of the pool was lent and given back: once for each pipeline, also where the
 * server did not answer; a second try counts again. Asks nobody.
 */
uint64_t db_trips(struct db *db);

/* Asks once, on a connection beside the pool. ERR_BUSY "database-unreachable". */
CHECKED enum err db_health(struct db *db, struct db_health *out);
