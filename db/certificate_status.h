/* certificate_status.h - what has become of X.509 certificates, as OCSP tells it. */
#pragma once

#include "ca/base/buf.h"
#include "db/pool.h"

#define STATUS_SERIALS_MAX 16 /* of one question */
#define STATUS_REASON_SIZE 33 /* a CRLReason by its name (RFC 5280 5.3.1), and a NUL */

struct certificate_status {
	bool is_known; /* a certificate of that CA, or one that may be, see `der` */
	/* In DER, of a row that is older than the records of issuers: whoever asks has to see whether
	 * that CA signed it. Empty otherwise. */
	struct buf der;
	bool is_revoked;
	int64_t revoked_at; /* seconds since 1970 */
	char reason[STATUS_REASON_SIZE];
};

struct certificate_statuses {
	/* Of the records as they were before anything else was read; see revocation_revision(). */
	int64_t revision;
	/* The CA itself was revoked, and with it all that it signed. */
	bool is_issuer_revoked;
	int64_t issuer_revoked_at;
	char issuer_reason[STATUS_REASON_SIZE];
	struct certificate_status items[STATUS_SERIALS_MAX]; /* in the order of the serials */
	size_t n;
};
void certificate_statuses_free(struct certificate_statuses *statuses); /* for AUTO */

/*
 * What is known of these serial numbers (big-endian, without leading zeroes) of the X.509 CA with this
 * id; its own OCSP responders are among them. `out` is overwritten, and for certificate_statuses_free()
 * also after a failure. At most STATUS_SERIALS_MAX. Errors of db_run().
 */
CHECKED enum err certificate_statuses_read(struct db *db, const uint8_t issuer[static 32],
	const struct view *serials, size_t n, struct certificate_statuses *out);

/*
 * The revision of the records of revocation: while it stands still, so does every status of a
 * certificate that is known. Errors of db_run().
 */
CHECKED enum err revocation_revision(struct db *db, int64_t *revision);
