/* imported.h - whom operators had all servers believe, beside what the configuration names. */
#pragma once

#include "enroll/flow/current.h"

struct imported; /* what was read last; for one thread at a time */

CHECKED enum err imported_make(struct imported **out);
void imported_free(struct imported **imported); /* accepts NULL inside, leaves NULL behind */

/* Reads them anew where they have changed. Those of the last time stay when that fails: ERR_BUSY as db_run(). */
CHECKED enum err imported_read(struct imported *imported, struct db *db);
/* Was that read after the last imported_join()? */
bool imported_has_moved(const struct imported *imported);

/*
 * current_derive() of `*made` and of its trust set with them: what cannot be read of them is logged, once
 * for each change, and left out.
 */
CHECKED enum err imported_join(
	struct imported *imported, struct service **made, struct service **out);
