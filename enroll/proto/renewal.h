/* renewal.h - the bodies of POST /v1/renew/ticket and POST /v1/renew and of their answers, and what
 * the AK signs. */
#pragma once

#include "ca/base/crypt.h"
#include "enroll/proto/limits.h"

/* POST /v1/renew/ticket: {ak}. `name` receives the AK's Name. */
CHECKED enum err renew_ticket_request_parse(struct view json, struct buf *name);
CHECKED enum err renew_ticket_request_encode(struct view name, struct buf *json);

/* Its answer: {ticket, expires_at}. */
struct renewal_ticket_answer {
	struct buf ticket; /* opaque to the device */
	int64_t expires_at; /* seconds since 1970; advice, the service decides */
};
/* An empty one; free with renewal_ticket_answer_free(), also after a failure. */
void renewal_ticket_answer_init(struct renewal_ticket_answer *answer);
void renewal_ticket_answer_free(struct renewal_ticket_answer *answer);
CHECKED enum err renewal_ticket_answer_parse(struct view json, struct renewal_ticket_answer *out);
CHECKED enum err renewal_ticket_answer_encode(
	const struct renewal_ticket_answer *answer, struct buf *json);

/* POST /v1/renew: {ticket, ak, request, signature}. */
struct renew_request {
	struct buf ticket;
	struct buf ak_public; /* TPM2B_PUBLIC */
	struct buf request; /* JSON text, see renewal_request_parse() */
	struct buf signature; /* TPMT_SIGNATURE */
};
void renew_request_init(struct renew_request *request);
void renew_request_free(struct renew_request *request);
CHECKED enum err renew_request_parse(struct view json, struct renew_request *out);
CHECKED enum err renew_request_encode(const struct renew_request *request, struct buf *json);

/* Its answer: {answer}. `answer` receives the JSON text of an answer (answer.h). */
CHECKED enum err renew_answer_parse(struct view json, struct buf *answer);
CHECKED enum err renew_answer_encode(struct view answer, struct buf *json);

#define RENEWAL_MESSAGE_SIZE (16 + 3 * SHA256_SIZE)

/*
 * "endorse/1 renew" 00 | SHA-256(service) | SHA-256(ticket) | SHA-256(request), over the decoded
 * bytes. The AK signs its digest, by the hash of the AK's scheme; no quote is ever one, for a TPM's
 * own statements begin with TPM_GENERATED_VALUE, and TPM2_Hash gives a restricted key no leave to
 * sign what does.
 */
CHECKED enum err renewal_message(const char *service, struct view ticket, struct view request,
	uint8_t out[static RENEWAL_MESSAGE_SIZE]);
