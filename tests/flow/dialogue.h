/* dialogue.h - one enrollment, step by step, so that a test can alter one thing between two steps. */
#pragma once

#include "enroll/proto/answer.h"
#include "enroll/proto/claim.h"
#include "enroll/proto/message.h"
#include "enroll/proto/problem.h"
#include "tests/flow/device.h"
#include "tests/flow/httpc.h"

struct dialogue {
	/* Whose, where to, and what for. Borrowed. */
	struct device *device;
	const struct httpc_peer *peer;
	const char *service, *host, *template;
	/* dialogue_keys() */
	enum key_kind kind;
	struct device_key ek, ak;
	struct buf ek_certificate;
	/* Sent in the claim when not empty. */
	struct buf ek_public;
	/* Sent in the claim; a copy of the AK's public area. */
	struct buf ak_public;
	/* dialogue_claim(), dialogue_ticket() */
	struct buf claim;
	struct challenge challenge;
	/* dialogue_activate() */
	struct secret_key session;
	TSS2_RC rc;
	/* dialogue_prove() */
	bool is_check; /* asks for a judgement only */
	struct buf request;
	uint8_t proof[PROOF_SIZE];
	/* dialogue_enroll(), dialogue_open() */
	struct buf sealed;
	struct answer *answer;
	/* The last answer of the service; `problem` is filled when its status was not 200. */
	struct httpc_answer last;
	struct problem problem;
};

void dialogue_init(struct dialogue *x, struct device *device, const struct httpc_peer *peer,
	const char *service, const char *host);
void dialogue_free(struct dialogue *x);

/* Loads the EK of a kind, reads its certificate from the TPM and makes an AK. */
void dialogue_keys(struct dialogue *x, enum key_kind kind, enum ak_shape shape);
/* Goes on with another EK of the same TPM; the AK stays. */
void dialogue_other_ek(struct dialogue *x, enum key_kind kind);
/* The JSON text of the claim, from what the fields say now. */
void dialogue_claim(struct dialogue *x);
/* POST /v1/ticket; the status, 0 when there was no answer. */
int dialogue_ticket(struct dialogue *x);
/* False when the TPM refuses. */
bool dialogue_activate(struct dialogue *x);
/* The request for `template`, and the proof over everything. */
void dialogue_prove(struct dialogue *x);
/* The proof alone, over what ticket, claim and request are now. */
void dialogue_prove_again(struct dialogue *x);
/* The body that dialogue_enroll() sends. */
void dialogue_enroll_body(const struct dialogue *x, struct buf *body);
/* POST /v1/enroll; the status. */
int dialogue_enroll(struct dialogue *x);
/* Opens the seal and reads the answer. */
void dialogue_open(struct dialogue *x);

/* The steps from the claim to the end, as far as they succeed; the last status. */
int dialogue_run(struct dialogue *x);
