/* claim.h - what a device says of itself: {service, host, ek, ak} (PROTOCOL.md, "The claim"). */
#pragma once

#include "ca/base/buf.h"
#include "enroll/proto/limits.h"

/*
 * All of it is hearsay until somebody judges it. The strings and views belong to the claim, except
 * in a claim that is filled in by hand for claim_encode().
 */
struct claim {
	const char *service; /* the service's name, at most LIMIT_SERVICE bytes */
	/* The wanted host name, at most LIMIT_HOST bytes, not yet judged; NULL when not sent: the device takes
	 * the one that its EK is registered for. */
	const char *host;
	struct view ek_certificate; /* DER, at most LIMIT_EK_CERTIFICATE; empty when not sent */
	struct view ek_public; /* TPM2B_PUBLIC; empty when not sent */
	struct view ek_chain[LIMIT_INTERMEDIATES]; /* DER, at most LIMIT_INTERMEDIATE each */
	size_t ek_chain_n;
	struct view ak_public; /* TPM2B_PUBLIC */
	struct claim_store *store; /* what the views point into */
};

/*
 * Reads the JSON text of a claim. `*out` is the caller's, for claim_free(); untouched on failure.
 * ERR_MALFORMED with "json", "json-key-unknown", "json-key-missing", "json-type", "base64",
 * "field-too-long".
 */
CHECKED enum err claim_parse(struct view json, struct claim **out);
void claim_free(struct claim **claim);
/* The same one once more, for claim_free(); nobody changes it. From any thread. */
struct claim *claim_share(struct claim *claim);

/* Appends the JSON text of a claim. The device keeps these bytes: the proof is over them. */
CHECKED enum err claim_encode(const struct claim *claim, struct buf *json);
