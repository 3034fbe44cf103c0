/* shard.h - into how many pieces the CRL is cut, so that none grows beyond a bound. */
#pragma once

#include "ca/base/err.h"
#include "db/pool.h"

#include <stdint.h>

/*
 * From now on a shard has so many places, 1 or more, and its CRL is fetched at a URL that begins with
 * `base`, 1 to 255 bytes: new shards begin, unless the newest ones are so already. What was drawn
 * stays where it is. Errors of db_run().
 */
CHECKED enum err shard_plan(struct db *db, int64_t capacity, const char *base);
