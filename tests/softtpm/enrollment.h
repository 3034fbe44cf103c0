/* enrollment.h - a device of the software TPM, and its enrollment without a network. */
#pragma once

#include "ca/base/hostname.h"
#include "enroll/proto/answer.h"
#include "enroll/proto/claim.h"
#include "enroll/proto/message.h"
#include "enroll/proto/proof.h"
#include "tests/softtpm/attest.h"

/* Whose enrollment it is. Many threads may enroll with one, as long as nobody changes it. */
struct soft_device {
	struct soft_key ek, ak;
	struct buf ek_certificate; /* DER */
	struct buf ek_public; /* sent in the claim when not empty */
	struct view chain[LIMIT_INTERMEDIATES]; /* sent in the claim; borrowed */
	size_t chain_n;
	char host[HOSTNAME_MAX + 1]; /* "": it asks for the one that its EK is registered for */
};
void soft_device_free(struct soft_device *device);

/* What a certificate is asked for; without a key: for the AK. */
struct soft_want {
	const char *template;
	const struct soft_key *certified; /* one that the AK says to be in its TPM */
	struct view spki, ssh; /* or one that nobody speaks for */
};

/* What is said of a key with this qualifying data, appended to the members of a request. */
CHECKED enum err soft_key_testify(const struct soft_key *signer, const struct soft_key *key,
	struct view extra, struct request_key *out);
/* The same of any statement, the key's public area left as it is. */
CHECKED enum err soft_attest_put(const struct soft_attest *made, struct request_key *out);

/*
 * One enrollment without a network, for those that have connections of their own: each call takes
 * what the service answered and appends the next body. Errors are those of enroll/proto, and
 * ERR_UNPROVEN "soft-activate" for a credential that this TPM does not open.
 */
struct soft_enrollment {
	const struct soft_device *device;
	const char *template; /* what it asks for; NULL: "ak" */
	const struct soft_want *wants; /* when there are any, instead of `template` */
	size_t wants_n;
	/* Makes a fault in the request before it is proven; NULL: none. */
	void (*alter)(struct soft_enrollment *x, struct request *request);
	bool is_check; /* asks for a judgement only */
	struct buf claim, request;
	struct challenge challenge;
	struct secret_key session;
	uint8_t proof[PROOF_SIZE];
	struct answer *answer; /* after soft_enrollment_end() */
};
void soft_enrollment_init(struct soft_enrollment *x, const struct soft_device *device);
void soft_enrollment_free(struct soft_enrollment *x);
/* The body of POST /v1/ticket. */
CHECKED enum err soft_enrollment_begin(
	struct soft_enrollment *x, const char *service, struct buf *body);
/* Its answer, and the body of POST /v1/enroll. */
CHECKED enum err soft_enrollment_prove(
	struct soft_enrollment *x, struct view answer, struct buf *body);
/* Its answer: opens the seal. */
CHECKED enum err soft_enrollment_end(struct soft_enrollment *x, struct view answer);
