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
 * One key that a certificate is wanted for. Which of these are there is the template's to say: none
 * for the AK; `public`, `attest` and `signature` for a key that the AK certified; `spki` or `ssh`
 * for one that the device vouches for.
 */
struct request_key {
	char template[LIMIT_TEMPLATE_NAME + 1]; /* "ak" */
	struct buf public; /* TPM2B_PUBLIC */
	struct buf attest; /* TPM2B_ATTEST, by TPM2_Certify */
	struct buf signature; /* TPMT_SIGNATURE by the AK */
	struct buf spki; /* SubjectPublicKeyInfo, DER */
	struct buf ssh; /* a public key blob of OpenSSH */
};

/*
 * The request inside an enroll request: {keys: [{template, public, attest, signature, spki, ssh}]},
 * with "purpose": "check" beside the keys when only a judgement is wanted, and in a renewal with
 * "host".
 */
struct request {
	struct request_key keys[LIMIT_KEYS];
	size_t keys_n;
	bool is_check; /* nothing is to be issued or bound */
	char host[LIMIT_HOST + 1]; /* of a renewal; "" otherwise */
};
void request_init(struct request *request);
void request_free(struct request *request); /* for AUTO */
CHECKED enum err request_parse(struct view json, struct request *out);
/* With a host, and without a purpose. */
CHECKED enum err renewal_request_parse(struct view json, struct request *out);
CHECKED enum err request_encode(const struct request *request, struct buf *json);
