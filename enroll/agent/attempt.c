#include "enroll/agent/attempt.h"

#include "ca/base/clock.h"
#include "enroll/agent/interrupt.h"
#include "enroll/agent/pending.h"
#include "enroll/proto/claim.h"
#include "enroll/proto/message.h"
#include "enroll/proto/proof.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TICKETS 4

void attempt_free(struct attempt *attempt)
{
	device_ek_free(&attempt->ek);
	device_ak_free(&attempt->found.ak);
	http_close(&attempt->http);
	buf_free(&attempt->claim);
	buf_free(&attempt->request);
	keys_free(&attempt->keys);
	accepted_free(&attempt->accepted);
}

/* The remembered EK first, so that a machine with several stays the device that it was. */
enum err attempt_find_ek(struct attempt *a, struct tpm *tpm)
{
	const struct ek_template *remembered = ek_template_find(a->before.ek_template);
	enum err err;

	if (a->wish->ek != NULL)
		return device_ek_find(tpm, a->wish->ek, a->wish->ek_certificate, &a->ek);
	if (remembered != NULL) {
		err = device_ek_find(tpm, remembered->name, a->wish->ek_certificate, &a->ek);
		if (err != ERR_NOT_FOUND)
			return err;
	}
	return device_ek_find(tpm, NULL, a->wish->ek_certificate, &a->ek);
}

/* A machine has several EKs, and to a service that does not know both, each is a device. */
static void warn_of_another_ek(struct attempt *a)
{
	if (a->before.ek_sha256[0] == '\0' || strcmp(a->before.ek_sha256, a->ek->sha256) == 0)
		return;
	a->another_ek = true;
	fprintf(stderr,
		"endorse: warning: %s was enrolled with another EK before (template %s, sha256 "
		"%.16s...); this one is template %s, sha256 %.16s..., which is another device to "
		"the service unless it knows both\n",
		a->before.host, a->before.ek_template, a->before.ek_sha256, a->ek->template->name,
		a->ek->sha256);
}

/*
 * Keys that have no certificate yet are kept as soon as the service may issue one: should this
 * machine stop before the answer is installed, the next attempt asks for the same keys and gets the
 * same certificates.
 */
static enum err keep_new_keys(struct attempt *a)
{
	/* A check is answered without a certificate: nobody will ask for these keys again. */
	if (a->is_check)
		return OK;
	if (a->found.is_new)
		TRY(device_ak_write(a->found.ak, state_path(a->state, STATE_AK_KEY_NEW)));
	return keys_keep_new(&a->keys, a->state);
}

static void forget_new_keys(struct attempt *a)
{
	if (a->found.is_new)
		unlink(state_path(a->state, STATE_AK_KEY_NEW));
	keys_forget_new(&a->keys, a->state);
}

static enum err prepare(struct attempt *a)
{
	AUTO(tpm_close) struct tpm *tpm = NULL;

	TRY(tpm_open(&a->wish->access, &tpm));
	TRY(attempt_find_ek(a, tpm));
	warn_of_another_ek(a);
	TRY(ak_find(tpm, &a->wish->ak, a->wish->service, a->state, &a->before, a->ek, &a->found));
	return keys_find(tpm, &a->wanted, a->found.ak, a->state, a->makes_new_keys, &a->keys);
}

enum err attempt_write_claim(struct attempt *a)
{
	struct claim claim = {.service = a->wish->service,
		.host = a->wish->host,
		.ek_certificate = buf_view(&a->ek->certificate),
		/* A certificate says it all: what more is told of a TPM is only told for nothing. */
		.ek_public = buf_view(&a->ek->public),
		.ek_chain_n = a->ek->chain_n,
		.ak_public = buf_view(&a->found.ak->public)};

	for (size_t i = 0; i < a->ek->chain_n; i++)
		claim.ek_chain[i] = buf_view(&a->ek->chain[i]);
	a->claim = BUF(LIMIT_CLAIM);
	return claim_encode(&claim, &a->claim);
}

/* What the AK says of a key names the ticket, so the request is written anew for each. */
static enum err write_request(struct attempt *a, struct tpm *tpm, const struct challenge *challenge)
{
	AUTO(request_free) struct request request;

	request_init(&request);
	request.is_check = a->is_check;
	TRY(keys_request(
		&a->keys, tpm, a->found.ak, a->ek, buf_view(&challenge->ticket), &request));
	buf_free(&a->request);
	a->request = BUF(LIMIT_REQUEST);
	return request_encode(&request, &a->request);
}

enum err attempt_read(enum err err)
{
	if (err == OK || err == ERR_INTERNAL)
		return err;
	return fail(ERR_MALFORMED, "service-answer", "the service's answer: %s", why()->sentence);
}

enum err attempt_challenge(struct attempt *a, struct challenge *out)
{
	AUTO(buf_free) struct buf body = BUF(LIMIT_TICKET_BODY);
	AUTO(buf_free) struct buf answer = BUF(ATTEMPT_BODY);

	TRY(ticket_request_encode(buf_view(&a->claim), &body));
	TRY(http_post(a->http, "/v1/ticket", buf_view(&body), &a->retry, &answer, &a->problem));
	return attempt_read(challenge_parse(buf_view(&answer), out));
}

enum err attempt_activate(
	struct attempt *a, const struct challenge *challenge, struct secret_key *session)
{
	AUTO(tpm_close) struct tpm *tpm = NULL;

	TRY(interrupt_check());
	TRY(tpm_open(&a->wish->access, &tpm));
	TRY(credential_activate(tpm, a->ek, a->found.ak, challenge, session));
	return write_request(a, tpm, challenge);
}

static enum err write_proof(struct attempt *a, const struct challenge *challenge,
	const uint8_t proof[static PROOF_SIZE], struct buf *body)
{
	AUTO(enroll_request_free) struct enroll_request enroll;

	enroll_request_init(&enroll);
	buf_add(&enroll.ticket, buf_view(&challenge->ticket));
	buf_add(&enroll.claim, buf_view(&a->claim));
	buf_add(&enroll.request, buf_view(&a->request));
	memcpy(enroll.proof, proof, PROOF_SIZE);
	return enroll_request_encode(&enroll, body);
}

static enum err open_answer(const struct secret_key *session, const struct transcript *transcript,
	const uint8_t proof[static PROOF_SIZE], struct view body, struct answer **out)
{
	AUTO(buf_free) struct buf sealed = BUF(ATTEMPT_BODY);
	AUTO(buf_free) struct buf json = BUF(LIMIT_ANSWER);

	TRY(attempt_read(sealed_parse(body, &sealed)));
	if (answer_open(session, transcript, proof, buf_view(&sealed), &json) != OK)
		return fail(ERR_DENIED, "service-not-trusted",
			"the answer was sealed by somebody who does not know this session");
	return attempt_read(answer_parse(buf_view(&json), out));
}

/* What nobody can decide is not waited for. */
static enum err told_which(const struct attempt *a, enum err err)
{
	if (err == ERR_PENDING && !a->is_check && a->problem.attempt[0] == '\0')
		return fail(ERR_MALFORMED, "service-answer",
			"the service's answer: it holds this enrollment, and does not say what is "
			"pending");
	return err;
}

/* http_post() repeats the same bytes when an answer is lost, so the service repeats itself too. */
enum err attempt_send_proof(struct attempt *a, const struct challenge *challenge,
	const struct secret_key *session, struct answer **out)
{
	AUTO(buf_free) struct buf body = BUF(LIMIT_ENROLL_BODY);
	AUTO(buf_free) struct buf answer = BUF(ATTEMPT_BODY);
	struct transcript transcript = {
		buf_view(&challenge->ticket), buf_view(&a->claim), buf_view(&a->request)};
	uint8_t proof[PROOF_SIZE];

	TRY(proof_make(session, &transcript, proof));
	TRY(write_proof(a, challenge, proof, &body));
	TRY(keep_new_keys(a));
	TRY(told_which(a, http_post(a->http, "/v1/enroll", buf_view(&body), &a->retry, &answer,
				  &a->problem)));
	return open_answer(session, &transcript, proof, buf_view(&answer), out);
}

/* A name that this machine has does not change because a service says so. */
static enum err check_name(const struct attempt *a)
{
	const char *before = a->before.host, *now = a->accepted->answer->host;

	if (a->wish->host != NULL || a->wish->takes_new_name || before[0] == '\0' ||
		strcmp(a->before.service, a->wish->service) != 0 || strcmp(before, now) == 0)
		return OK;
	return fail(ERR_CONFLICT, "host-changed",
		"the service now calls this machine %s, and it enrolled as %s before; nothing was "
		"installed. If its registration was changed on purpose: endorse enroll --force",
		now, before);
}

static enum err prove(struct attempt *a)
{
	AUTO(challenge_free) struct challenge challenge;
	AUTO(key_wipe) struct secret_key session = {0};
	AUTO(answer_free) struct answer *answer = NULL;

	challenge_init(&challenge);
	TRY(attempt_challenge(a, &challenge));
	TRY(attempt_activate(a, &challenge, &session));
	TRY(attempt_send_proof(a, &challenge, &session, &answer));
	TRY(accepted_check(&answer, a->anchors, &a->keys, a->wish->host, &a->accepted));
	return check_name(a);
}

/* It grew too old on the way, or the service's clock or ticket key changed: a new one will do. */
static bool is_ticket_over(const struct attempt *a)
{
	return strcmp(why()->code, "service-refused") == 0 &&
	       (strcmp(a->problem.code, "ticket-expired") == 0 ||
		       strcmp(a->problem.code, "ticket-invalid") == 0);
}

static enum err ask(struct attempt *a)
{
	enum err err = OK;

	retry_start(&a->retry, a->wish->timeout);
	for (unsigned i = 0; i < TICKETS; i++) {
		err = prove(a);
		if (err == OK || !is_ticket_over(a))
			break;
		fprintf(stderr, "endorse: the ticket is not good any more; beginning again\n");
	}
	return err;
}

/* A service that is away for a while has not decided either. */
static bool is_undecided(const struct attempt *a, enum err err)
{
	return err == ERR_PENDING ||
	       (err == ERR_BUSY && a->asks > 0 && strcmp(why()->code, "service-away") == 0);
}

/* Each time with a new ticket, since one that was held is good for nothing, and with the same AK. */
static enum err ask_until_decided(struct attempt *a)
{
	int64_t deadline = clock_ms() + (int64_t)a->wish->wait * 1000;
	enum err err = ask(a);

	while (is_undecided(a, err)) {
		if (err == ERR_PENDING)
			pending_say(stderr, a->wish->server, a->ek->sha256, &a->problem,
				a->asks++ == 0);
		else
			fprintf(stderr, "endorse: %s\n", why()->sentence);
		TRY(pending_wait(http_retry_after(a->http), deadline));
		err = ask(a);
	}
	return err;
}

enum err attempt_run(struct attempt *a)
{
	const struct http_options http = {a->wish->server, a->wish->proxy, a->anchors};
	enum err err;

	TRY(prepare(a));
	TRY(attempt_write_claim(a));
	TRY(http_open(&http, &a->http));
	err = ask_until_decided(a);
	if (err != OK && strcmp(why()->code, "service-not-trusted") == 0)
		forget_new_keys(a);
	return err;
}
