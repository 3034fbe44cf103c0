/* revoke_certificate.h - one certificate that is revoked, held, or released. */
#pragma once

#include "db/reach.h"

/*
 * Revokes one certificate, X.509 or OpenSSH, also one that is held; its device and the others stay as
 * they are, and no repeat returns it. `reason` is a word of RFC 5280 5.3.1. `out` is overwritten,
 * and for reached_free() also after a failure. ERR_NOT_FOUND "certificate-unknown"; ERR_CONFLICT
 * "already-revoked", "certificate-ended", "database-moved".
 */
CHECKED enum err certificate_revoke(struct db *db, struct view serial, const char *reason,
	const struct act *act, struct reached *out);
/* Besides, ERR_CONFLICT "already-held". */
CHECKED enum err certificate_hold(
	struct db *db, struct view serial, const struct act *act, struct reached *out);
/* Only what certificate_hold() took. ERR_CONFLICT "not-held": also of one that is held with its
 * device; "certificate-of-barred-device" while its device is held or revoked. */
CHECKED enum err certificate_unhold(
	struct db *db, struct view serial, const struct act *act, struct reached *out);
