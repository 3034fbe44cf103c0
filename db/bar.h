/* bar.h - host names that are taken from whoever has them, for good or to be given anew. */
#pragma once

#include "db/reach.h"

/*
 * Revokes a name: all certificates of it that have not ended, whichever devices have them, its
 * binding ends, attempts for it are gone, and nobody may have it before host_reinstate(). The devices
 * stay, with what else they have. No enrollment is recorded meanwhile (db/lock.h), so what comes
 * before is reached, and what comes after meets the bar. Of a name that nobody ever had this is the
 * bar alone. `reason` is a word of RFC 5280 5.3.1. `out` is overwritten, and for reached_free() also
 * after a failure. ERR_CONFLICT "already-revoked", saying since when, by whom and why.
 */
CHECKED enum err host_revoke(struct db *db, const char *host, const char *reason,
	const struct act *act, struct reached *out);

/* The same without the bar, of a name that is given up: the next device that policy allows can have
 * it. ERR_NOT_FOUND "host-unknown" where there is nothing to reach. */
CHECKED enum err host_retire(struct db *db, const char *host, const char *reason,
	const struct act *act, struct reached *out);

/* Lifts the bar; certificates stay revoked. ERR_CONFLICT "not-revoked". */
CHECKED enum err host_reinstate(
	struct db *db, const char *host, const struct act *act, struct reached *out);
