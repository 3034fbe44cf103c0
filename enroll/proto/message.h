/* message.h - the bodies of POST /v1/ticket and POST /v1/enroll and of their answers. */
#pragma once

#include "ca/base/buf.h"
#include "enroll/proto/limits.h"

#include <stdbool.h>

/* POST /v1/ticket: {claim}. `claim` receives the decoded bytes, which are the claim's JSON text. */
CHECKED enum err ticket_request_parse(struct view json, struct buf *claim);
CHECKED enum err ticket_request_encode(struct view claim, struct buf *json);

/* Its answer: {credential_blob, secret, ticket, expires_at}. */
struct challenge {
	struct buf credential_blob; /* TPM2B_ID_OBJECT, for TPM2_ActivateCredential */
	struct buf secret; /* TPM2B_ENCRYPTED_SECRET */
	struct buf ticket; /* opaque to the device */
	int64_t expires_at; /* seconds since 1970; advice, the service decides */
};
/* An empty one; free with challenge_free(), also after a failure. */
void challenge_init(struct challenge *challenge);
void challenge_free(struct challenge *challenge);
CHECKED enum err challenge_parse(struct view json, struct challenge *out);
CHECKED enum err challenge_encode(const struct challenge *challenge, struct buf *json);

/* POST /v1/enroll: {ticket, claim, request, proof}. */
struct enroll_request {
	struct buf ticket;
	struct buf claim; /* the very bytes that were sent for the ticket */
	struct buf request; /* JSON text, see request_parse() */
	uint8_t proof[32];
};
void enroll_request_init(struct enroll_request *request);
void enroll_request_free(struct enroll_request *request);
CHECKED enum err enroll_request_parse(struct view json, struct enroll_request *out);
CHECKED enum err enroll_request_encode(const struct enroll_request *request, struct buf *json);

/* Its answer: {sealed}. */
CHECKED enum err sealed_parse(struct view json, struct buf *sealed);
CHECKED enum err sealed_encode(struct view sealed, struct buf *json);

/*
 * The request inside an enroll request: {keys: [{template}]}, with "purpose": "check" beside the
 * keys when only a judgement is wanted.
 */
struct request {
	struct {
		char template[LIMIT_TEMPLATE_NAME + 1]; /* "ak" */
	} keys[LIMIT_KEYS];
	size_t keys_n;
	bool is_check; /* nothing is to be issued or bound */
};
CHECKED enum err request_parse(struct view json, struct request *out);
CHECKED enum err request_encode(const struct request *request, struct buf *json);
