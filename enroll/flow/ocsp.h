/* ocsp.h - the OCSP responder: what has become of certificates, signed (RFC 6960, RFC 5019). */
#pragma once

#include "enroll/flow/ocsp_cache.h"
#include "enroll/flow/service.h"

#define OCSP_LIFE 3600 /* seconds from thisUpdate to nextUpdate, at most */
#define OCSP_CACHE_BYTES ((size_t)32 << 20)

/* What a server keeps for it as long as it lives, whatever is reloaded; safe from any thread. */
struct ocsp;

/* `db` is borrowed. `*out` is the caller's, for ocsp_free(). */
CHECKED enum err ocsp_make(struct db *db, struct ocsp **out);
void ocsp_free(struct ocsp **ocsp);

/*
 * Answers one DER request. Unknown is what we did not issue; where the CA itself was revoked, all that
 * it issued is, and unknown things too. For one certificate and without a nonce it may be an answer
 * that was signed before, of at most OCSP_LIFE / 2 ago, as long as nothing has changed since: which is
 * known with REVISION_STANDS_MS of delay.
 * ERR_MALFORMED: RFC 6960 4.1 says no. ERR_NOT_FOUND: none of the certificates is of a CA of ours that
 * has not ended. ERR_BUSY, ERR_INTERNAL: something of ours fails; all codes are internal ones, for
 * ocsp_refused() is what goes out. `out` is for ocsp_reply_free(), also after a failure.
 */
CHECKED enum err ocsp_answer(const struct service *service, struct view request,
	const struct caller *caller, struct ocsp_reply *out);

/* What is answered instead, in DER, for an error of ocsp_answer() (RFC 6960 4.2.1). */
CHECKED enum err ocsp_refused(enum err err, struct buf *der);

/* Since the server began; for each certificate that was asked for, and for each request. */
struct ocsp_counters {
	uint64_t good, revoked, unknown; /* certificates in signed answers, old and new ones */
	uint64_t kept, made; /* answers that were given again, and that were signed */
	uint64_t malformed, unauthorized, busy, internal; /* requests */
	size_t entries, bytes; /* of what is kept, now */
};
void ocsp_count(const struct ocsp *ocsp, struct ocsp_counters *out);
