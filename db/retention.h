/* retention.h - certificates that ended so long ago that nobody asks for them any more. */
#pragma once

#include "db/pool.h"

#include <stdint.h>

/*
 * Deletes certificates that ended more than `age` seconds ago by the database's clock, in batches and about
 * `most` of them at once; `*gone` gets how many. Of those that were revoked only what a CRL, or the KRL,
 * that was made after their end has told of, or left out (RFC 5280 3.3), or will never be: its CA has made
 * none for long. Whoever asks about one later hears that it is not known. Errors of db_run(); `*gone` is right then too.
 */
CHECKED enum err retention_purge(struct db *db, int64_t age, int64_t most, int64_t *gone);
