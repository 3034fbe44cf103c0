/* revoked_issuer.h - CAs whose key is taken back, with all that they signed. */
#pragma once

#include "db/host.h"

#include <stddef.h>

#define ISSUERS_MAX 64 /* that are told of */

/* A CA, and what has become of it. */
struct issuer_state {
	uint8_t issuer_id[DIGEST_SIZE];
	char kind[16]; /* "x509", "ssh-host", "ssh-user" */
	int64_t first_at, not_after; /* not_after 0: never */
	int64_t revoked_at; /* 0: it is not */
	char reason[33], by[513], why[513];
	/* Of a revoked one: certificates that are not revoked yet; about, beyond 10,000. */
	int64_t remaining;
};

/* Those that signed what is recorded, the latest first, at most ISSUERS_MAX. */
CHECKED enum err issuers_read(struct db *db, int64_t now, struct issuer_state *out, size_t *n);

/*
 * Revokes a CA: from when this returns, nothing that it signed is recorded or handed out, and all of
 * it counts as revoked for OCSP and KRL; its certificates follow in revoked_issuer_round(). `digits`
 * are its id's first ones, in lower case. `out` says what is left. ERR_NOT_FOUND "issuer-unknown"
 * (also where several begin so); ERR_CONFLICT "already-revoked".
 */
CHECKED enum err issuer_revoke(struct db *db, const char *digits, const char *reason,
	const struct act *act, struct issuer_state *out);

/*
 * Revokes at most `limit` of the certificates that revoked CAs signed, around those that another
 * server has in hand; `*more` when there may be some left. Cheap where there is no such CA.
 */
CHECKED enum err revoked_issuer_round(struct db *db, int64_t now, unsigned limit, bool *more);

/* ERR_BUSY "ca-revoked", always. */
CHECKED enum err ca_revoked(const uint8_t id[static DIGEST_SIZE]);
/* Is this CA (DIGEST_SIZE bytes) revoked? ERR_BUSY "ca-revoked". */
CHECKED enum err issuer_judge(struct db *db, const uint8_t id[static DIGEST_SIZE]);
