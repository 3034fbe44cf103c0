/* revision.h - has anything been revoked meanwhile? Asked often, answered from what was read last. */
#pragma once

#include "db/pool.h"

/* How long what was read stands for the present, in milliseconds: a promise of ours in PROTOCOL.md. */
#define REVISION_STANDS_MS 500
/* And while the database cannot be asked: caches of HTTP may keep an answer as long. */
#define REVISION_OUTLASTS_MS 60000

struct revision; /* safe from any thread */

CHECKED enum err revision_make(struct db *db, struct revision **out); /* borrows `db` */
void revision_free(struct revision **revision);

/*
 * The revision of the records of revocation, see revocation_revision(), as it was REVISION_STANDS_MS
 * ago or later. One thread at a time reads it. The others go on with what was read before, as long as
 * that stands; or while the database fails, so that only the first failure is waited for, as long as
 * REVISION_OUTLASTS_MS. False: nobody knows.
 */
bool revision_now(struct revision *revision, int64_t *out);
