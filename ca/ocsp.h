/* ocsp.h - answers of an OCSP responder (RFC 6960 4.2, in the form of RFC 5019). */
#pragma once

#include "ca/base/revoked.h"
#include "ca/ocsp_request.h"
#include "ca/responder.h"

enum ocsp_status { OCSP_IS_UNKNOWN, OCSP_IS_GOOD, OCSP_IS_REVOKED };

/* What is said of one certificate. */
struct ocsp_answer {
	const struct ocsp_id *id; /* as it was asked for */
	enum ocsp_status status;
	/* We issued it. What we did not is revoked where its CA is, and that has a mark (4.4.8). */
	bool is_issued;
	int64_t revoked_at; /* seconds since 1970 */
	enum revoked_reason reason; /* left out when it is unspecified */
};

struct ocsp_content {
	const struct ocsp_answer *answers;
	size_t n;
	int64_t this_update, next_update; /* seconds since 1970 */
	struct view nonce; /* of the request; empty: it had none */
};

#define OCSP_RESPONSE_MAX 8192 /* bytes; one with one certificate has about 900 */

/*
 * Builds a basic response, signed by the responder, whose certificate comes with it; who it is from is
 * said by its key (RFC 5019 2.2.1). Produced now, by this machine's clock. Appends the DER.
 * ERR_INTERNAL "crypto"; ERR_TOO_LARGE "too-large" when it does not fit into the buffer's limit. Safe
 * from any thread.
 */
CHECKED enum err ocsp_response(
	const struct responder *responder, const struct ocsp_content *content, struct buf *der);

/* OCSPResponseStatus (4.2.1) of what is not answered. */
enum ocsp_refusal {
	OCSP_IS_MALFORMED = 1,
	OCSP_IS_INTERNAL = 2,
	OCSP_IS_BUSY = 3,
	OCSP_IS_UNAUTHORIZED = 6, /* we have nothing to say of it: RFC 5019 2.2.3 */
};
/* The same as DER, unsigned as it has to be. ERR_INTERNAL "crypto". */
CHECKED enum err ocsp_refuse(enum ocsp_refusal refusal, struct buf *der);
