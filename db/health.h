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

/*
 * How records of new devices went by twos and more, since the pool was made. The others, such as
 * renewals, are not in it. Asks nobody.
 */
#define TOGETHER_MAX 8
struct db_together {
	uint64_t transactions[TOGETHER_MAX + 1]; /* that began with so many records */
	uint64_t apart; /* with two and more, that failed: each record then had its own */
	unsigned waiting; /* records that wait for their transaction, now */
};
void db_together(struct db *db, struct db_together *out);

/* Asks once, on a connection beside the pool. ERR_BUSY "database-unreachable". */
CHECKED enum err db_health(struct db *db, struct db_health *out);
