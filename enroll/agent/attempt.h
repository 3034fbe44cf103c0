/* attempt.h - one enrollment, from the TPM's certificate to a checked answer. */
#pragma once

#include "enroll/agent/accepted.h"
#include "enroll/agent/akfind.h"
#include "enroll/agent/credential.h"
#include "enroll/agent/http.h"
#include "enroll/agent/state.h"

/* What the caller wants; all of it is borrowed. */
struct wish {
	const char *server;
	const char *service;
	const char *host; /* NULL: the one that the service has for this EK */
	bool takes_new_name; /* also when the service had another one for it before */
	struct tpm_access access;
	const char *proxy; /* NULL: none */
	const char *ek; /* a kind or a template's name; NULL: the remembered one, or the first */
	enum ek_certificate ek_certificate;
	struct ak_wish ak;
	unsigned timeout; /* seconds */
	unsigned wait; /* seconds to go on asking while an admin is to decide; 0: ask once */
};

struct attempt {
	const struct wish *wish;
	struct state *state; /* borrowed */
	struct anchors *anchors; /* borrowed */
	struct enrollment before; /* zero when there was none */
	struct wanted wanted;
	bool makes_new_keys; /* in the TPM, also where there are some */
	struct device_ek *ek;
	struct ak_found found;
	struct keys keys; /* of what is wanted, in its order */
	bool another_ek; /* than at the enrollment before */
	bool is_renewal; /* by the AK alone: `ek` is NULL, or there to load the AK */
	bool is_check; /* asks what would become of it; nothing is issued */
	struct retry retry;
	struct http *http;
	struct buf claim; /* the very bytes that were sent */
	struct buf request; /* likewise; another one for each ticket */
	struct problem problem; /* of the last refusal by the service, or of what it holds */
	unsigned asks; /* that were answered with "pending" */
	struct accepted *accepted;
};

/*
 * Does all of it but the installation: reads the EK's certificate, finds or makes the AK, proves
 * both to the service and checks what it issued. `attempt` is zero but for its first six members
 * and `is_check`, and is freed with attempt_free() also after a failure. The TPM is left as it was
 * found. While an admin is to decide, it asks again and again with the same AK within wish->wait;
 * ERR_PENDING "service-pending" when that is over: `problem` says which attempt is held. Other
 * errors as of http_post(), credential_activate(), accepted_check(); ERR_CONFLICT "host-changed".
 */
CHECKED enum err attempt_run(struct attempt *attempt);
void attempt_free(struct attempt *attempt);

/*
 * The steps of attempt_run(), for who looks at them one by one. attempt_find_ek() fills `ek`;
 * attempt_write_claim() wants `ek`, `found` and `keys`, the next `http` and a started `retry`;
 * attempt_activate() also has the AK certify keys and writes `request`. `*out` is the caller's, for
 * answer_free(); it is not checked yet.
 */
CHECKED enum err attempt_find_ek(struct attempt *attempt, struct tpm *tpm);
CHECKED enum err attempt_write_claim(struct attempt *attempt);
CHECKED enum err attempt_challenge(struct attempt *attempt, struct challenge *out);
CHECKED enum err attempt_activate(
	struct attempt *attempt, const struct challenge *challenge, struct secret_key *session);
CHECKED enum err attempt_send_proof(struct attempt *attempt, const struct challenge *challenge,
	const struct secret_key *session, struct answer **out);

#define ATTEMPT_BODY (LIMIT_ANSWER * 2) /* of an answer: base64, and the JSON around it */
/*
 * What a parser of enroll/proto/ said of the service's bytes, as a failure of the service: ERR_MALFORMED
 * "service-answer". OK and ERR_INTERNAL stay what they are.
 */
CHECKED enum err attempt_read(enum err err);
