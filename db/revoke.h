/* revoke.h - devices that are revoked or held, and taken back into grace. */
#pragma once

#include "db/reach.h"

/* Which device: by the one thing that is known of it. Borrowed; all but one are empty. */
struct device_key {
	struct view device_id; /* DEVICE_ID_SIZE */
	struct view ek_digest; /* DIGEST_SIZE: of one of its EKs */
	struct view serial; /* of one of its certificates */
	/* That it has; or had last, for finding one that is revoked, and so has none any more. */
	const char *host;
};

/*
 * Revokes a device: in one transaction it is barred, with all its EKs, all its certificates that have
 * not ended are revoked, its names are free for others, and its attempts that are held or accepted
 * are gone. What is recorded of it before this is reached, and nothing after it: see revoke.c. One
 * that is held is revoked as well. `reason` is a word of RFC 5280 5.3.1. `out` is overwritten, and
 * for reached_free() also after a failure. ERR_NOT_FOUND "device-unknown"; ERR_CONFLICT
 * "already-revoked" saying since when, by whom and why; ERR_CONFLICT "database-moved" when others
 * are faster again and again.
 */
CHECKED enum err device_revoke(struct db *db, const struct device_key *key, const char *reason,
	const struct act *act, struct reached *out);

/* Revokes it for the time being: certificates are on hold, names stay its own, attempts stay.
 * Besides, ERR_CONFLICT "already-held". */
CHECKED enum err device_hold(
	struct db *db, const struct device_key *key, const struct act *act, struct reached *out);
/* Gives back what device_hold() took and nobody revoked meanwhile, and nothing else. ERR_NOT_FOUND
 * "device-unknown"; ERR_CONFLICT "not-held". */
CHECKED enum err device_unhold(
	struct db *db, const struct device_key *key, const struct act *act, struct reached *out);
/* Lets a revoked one enroll again, as if it came for the first time: certificates stay revoked.
 * ERR_NOT_FOUND "device-unknown"; ERR_CONFLICT "not-revoked". */
CHECKED enum err device_reinstate(
	struct db *db, const struct device_key *key, const struct act *act, struct reached *out);
