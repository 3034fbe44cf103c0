/* statistics.h - how many there are of what, in a time that does not grow with how many there are. */
#pragma once

#include "db/found.h"
#include "db/pool.h"

#define STATISTICS_COUNTED 20000 /* beyond so many it is not counted on */

/*
 * One row for each number: "what" ("devices", "devices.held", "devices.manufacturer", ...), "name" (whose number
 * it is; NULL: of all), "n", and "about": counted no further, or estimated as the server's last ANALYZE found it.
 * `now` in seconds since 1970. `out` is overwritten, and for found_free() also after a failure. Errors of
 * db_run().
 */
CHECKED enum err statistics_read(struct db *db, int64_t now, struct found *out);
