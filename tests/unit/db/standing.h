/* standing.h - devices with certificates that were published as good, for somebody to revoke. */
#pragma once

#include "attempt.h"
#include "db/reach.h"

/* Who revokes, ten seconds after NOW: "admin-token", for "stolen from line 4". */
extern const struct act standing_admin;

/* Empties what tests of revocation write, for setup: cheaper than a database for each. */
int standing_none(void **state);

/*
 * A device that enrolled: certificates by places 0 and 2 of X.509, in the shards 0 and 1 of the issuer
 * of bytes 07; by place 1 of OpenSSH, of the issuer of bytes 08. All CRLs, and the KRL, are as new.
 */
struct attempt standing_device(struct db *db, unsigned tpm, const char *host);
extern const uint8_t standing_issuer[DIGEST_SIZE]; /* bytes 07 */

/* Certificates that are not revoked. */
int64_t standing_certificates(void);
/* CRLs and KRL that are behind. */
int64_t standing_behind(void);
