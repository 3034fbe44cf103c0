/* purge.h - deletes what is too old, a batch at a time. Not for other folders. */
#pragma once

#include "db/query.h"

/*
 * Runs `statement` until it has nothing more to delete. Its $1 is `age` in seconds, its $2 how many
 * rows it may delete at once, so that none runs for long; it answers how many they were.
 */
CHECKED enum err purge_run(struct db *db, const struct statement *statement, int64_t age);

/* The same until `*gone`, to which it adds them, is `most` or a little more. */
CHECKED enum err purge_some(
	struct db *db, const struct statement *statement, int64_t age, int64_t most, int64_t *gone);
