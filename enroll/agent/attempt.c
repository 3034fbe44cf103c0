#include "enroll/agent/attempt.h"

#include "ca/base/clock.h"
#include "enroll/agent/cert.h"
#include "enroll/agent/interrupt.h"
#include "enroll/proto/claim.h"
#include "enroll/proto/message.h"
#include "enroll/proto/proof.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_BODY (LIMIT_ANSWER * 2) /* base64 and the JSON around it */
#define TICKETS 4

void attempt_free(struct attempt *attempt)
{
	device_ek_free(&attempt->ek);
	device_ak_free(&attempt->ak);
	http_close(&attempt->http);
	buf_free(&attempt->claim);
	buf_free(&attempt->request);
	accepted_free(&attempt->accepted);
}

/* The remembered EK first, so that a machine with several stays the device that it was. */
static enum err find_ek(struct attempt *a, struct tpm *tpm)
{
	const struct ek_template *remembered = ek_template_find(a->before.ek_template);
	enum err err;

	if (a->wish->ek != NULL)
		return device_ek_find(tpm, a->wish->ek, &a->ek);
	if (remembered != NULL) {
		err = device_ek_find(tpm, remembered, &a->ek);
		if (err != ERR_NOT_FOUND)
			return err;
	}
	return device_ek_find(tpm, NULL, &a->ek);
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

static enum err pass_over(const char *path, const char *because)
{
	fprintf(stderr, "endorse: the AK in %s is not used: %s\n", path, because);
	return OK;
}

/* Leaves a->ak empty when the file has no AK that will do. */
static enum err reuse_ak(struct attempt *a, struct tpm *tpm, const char *path)
{
	AUTO(device_ak_free) struct device_ak *ak = NULL;
	AUTO(loaded_flush) struct loaded loaded = LOADED(tpm);
	enum err err = device_ak_read(path, a->wish->service, &ak);

	if (err == ERR_NOT_FOUND)
		return OK;
	if (err != OK)
		return pass_over(path, why()->sentence);
	if (!a->wish->any_ak && ak_kind(ak->judged) != a->wish->ak)
		return pass_over(path, "another kind was asked for");
	err = device_ak_load(tpm, ak, &loaded);
	if (err == ERR_REJECTED)
		return pass_over(path, why()->sentence);
	if (err == OK)
		a->ak = MOVE(ak);
	return err;
}

static enum err find_ak(struct attempt *a, struct tpm *tpm)
{
	TRY(reuse_ak(a, tpm, state_path(a->state, STATE_AK_KEY_NEW)));
	if (a->ak == NULL)
		TRY(reuse_ak(a, tpm, state_path(a->state, STATE_AK_KEY)));
	if (a->ak != NULL)
		return OK;
	a->new_ak = true;
	return device_ak_create(tpm, a->wish->ak, a->wish->service, &a->ak);
}

/*
 * An AK that has no certificate yet is kept as soon as the service may issue one: should this
 * machine stop before the answer is installed, the next attempt asks for the same key and gets the
 * same certificate.
 */
static enum err keep_new_ak(struct attempt *a)
{
	return a->new_ak ? device_ak_write(a->ak, state_path(a->state, STATE_AK_KEY_NEW)) : OK;
}

static void forget_new_ak(struct attempt *a)
{
	if (a->new_ak)
		unlink(state_path(a->state, STATE_AK_KEY_NEW));
}

static enum err prepare(struct attempt *a)
{
	AUTO(tpm_close) struct tpm *tpm = NULL;

	TRY(tpm_open(a->wish->tcti, &tpm));
	TRY(find_ek(a, tpm));
	warn_of_another_ek(a);
	return find_ak(a, tpm);
}

static enum err write_claim(struct attempt *a)
{
	struct claim claim = {.service = a->wish->service,
		.host = a->wish->host,
		.ek_certificate = buf_view(&a->ek->certificate),
		.ek_chain_n = a->ek->chain_n,
		.ak_public = buf_view(&a->ak->public)};
	struct request request = {.keys_n = 1};

	for (size_t i = 0; i < a->ek->chain_n; i++)
		claim.ek_chain[i] = buf_view(&a->ek->chain[i]);
	snprintf(request.keys[0].template, sizeof(request.keys[0].template), "ak");
	a->claim = BUF(LIMIT_CLAIM);
	a->request = BUF(LIMIT_REQUEST);
	TRY(claim_encode(&claim, &a->claim));
	return request_encode(&request, &a->request);
}

/* What a parser of proto/ says of the service's bytes, as a failure of the service. */
static enum err of_the_answer(enum err err)
{
	if (err == OK || err == ERR_INTERNAL)
		return err;
	return fail(ERR_MALFORMED, "service-answer", "the service's answer: %s", why()->sentence);
}

static enum err get_challenge(struct attempt *a, struct challenge *out)
{
	AUTO(buf_free) struct buf body = BUF(LIMIT_TICKET_BODY);
	AUTO(buf_free) struct buf answer = BUF(ANSWER_BODY);

	TRY(ticket_request_encode(buf_view(&a->claim), &body));
	TRY(http_post(a->http, "/v1/ticket", buf_view(&body), &a->retry, &answer, &a->problem));
	return of_the_answer(challenge_parse(buf_view(&answer), out));
}

static enum err activate(
	struct attempt *a, const struct challenge *challenge, struct secret_key *session)
{
	AUTO(tpm_close) struct tpm *tpm = NULL;

	TRY(interrupt_check());
	TRY(tpm_open(a->wish->tcti, &tpm));
	return credential_activate(tpm, a->ek, a->ak, challenge, session);
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

static enum err open_answer(struct attempt *a, const struct secret_key *session,
	const struct transcript *transcript, const uint8_t proof[static PROOF_SIZE],
	struct view body)
{
	AUTO(buf_free) struct buf sealed = BUF(ANSWER_BODY);
	AUTO(buf_free) struct buf json = BUF(LIMIT_ANSWER);
	AUTO(answer_free) struct answer *answer = NULL;

	TRY(of_the_answer(sealed_parse(body, &sealed)));
	if (answer_open(session, transcript, proof, buf_view(&sealed), &json) != OK)
		return fail(ERR_DENIED, "service-not-trusted",
			"the answer was sealed by somebody who does not know this session");
	TRY(of_the_answer(answer_parse(buf_view(&json), &answer)));
	return accepted_check(&answer, a->anchors, a->ak, a->wish->host, &a->accepted);
}

/* http_post() repeats the same bytes when an answer is lost, so the service repeats itself too. */
static enum err send_proof(
	struct attempt *a, const struct challenge *challenge, const struct secret_key *session)
{
	AUTO(buf_free) struct buf body = BUF(LIMIT_ENROLL_BODY);
	AUTO(buf_free) struct buf answer = BUF(ANSWER_BODY);
	struct transcript transcript = {
		buf_view(&challenge->ticket), buf_view(&a->claim), buf_view(&a->request)};
	uint8_t proof[PROOF_SIZE];

	TRY(proof_make(session, &transcript, proof));
	TRY(write_proof(a, challenge, proof, &body));
	TRY(keep_new_ak(a));
	TRY(http_post(a->http, "/v1/enroll", buf_view(&body), &a->retry, &answer, &a->problem));
	return open_answer(a, session, &transcript, proof, buf_view(&answer));
}

static enum err prove(struct attempt *a)
{
	AUTO(challenge_free) struct challenge challenge;
	AUTO(key_wipe) struct secret_key session = {0};

	challenge_init(&challenge);
	TRY(get_challenge(a, &challenge));
	TRY(activate(a, &challenge, &session));
	return send_proof(a, &challenge, &session);
}

/* It grew too old on the way, or the service's clock or ticket key changed: a new one will do. */
static bool is_ticket_over(const struct attempt *a)
{
	return strcmp(why()->code, "service-refused") == 0 &&
	       (strcmp(a->problem.code, "ticket-expired") == 0 ||
		       strcmp(a->problem.code, "ticket-invalid") == 0);
}

enum err attempt_run(struct attempt *a)
{
	const struct http_options http = {a->wish->server, a->wish->proxy, a->anchors};
	enum err err = OK;

	retry_start(&a->retry, a->wish->timeout);
	TRY(prepare(a));
	TRY(write_claim(a));
	TRY(http_open(&http, &a->http));
	for (unsigned i = 0; i < TICKETS; i++) {
		err = prove(a);
		if (err == OK || !is_ticket_over(a))
			break;
		fprintf(stderr, "endorse: the ticket is not good any more; beginning again\n");
	}
	if (err != OK && strcmp(why()->code, "service-not-trusted") == 0)
		forget_new_ak(a);
	return err;
}

static enum err install_certificates(struct attempt *a)
{
	AUTO(buf_free) struct buf anchors = BUF(CERTS_MAX);
	AUTO(buf_free) struct buf chain = BUF(CERTS_MAX);
	AUTO(buf_free) struct buf leaf = BUF(CERTS_MAX);
	const struct accepted *accepted = a->accepted;

	TRY(anchors_write(a->anchors, &anchors));
	for (int i = 0; i < sk_X509_num(accepted->intermediates); i++)
		TRY(cert_pem_add(sk_X509_value(accepted->intermediates, i), &chain));
	TRY(cert_pem_add(sk_X509_value(accepted->certificates, accepted->ak), &leaf));
	TRY(state_write(a->state, STATE_ANCHORS, 0644, buf_view(&anchors)));
	TRY(state_write(a->state, STATE_CHAIN, 0644, buf_view(&chain)));
	return state_write(a->state, STATE_AK_CERT, 0644, buf_view(&leaf));
}

static enum err install_enrollment(struct attempt *a)
{
	AUTO(buf_free) struct buf text = BUF(ENROLLMENT_MAX);
	struct enrollment e = {0};

	snprintf(e.server, sizeof(e.server), "%s", a->wish->server);
	snprintf(e.service, sizeof(e.service), "%s", a->wish->service);
	snprintf(e.host, sizeof(e.host), "%s", a->wish->host);
	snprintf(e.device_id, sizeof(e.device_id), "%s", a->accepted->answer->device_id);
	snprintf(e.ek_template, sizeof(e.ek_template), "%s", a->ek->template->name);
	snprintf(e.ek_sha256, sizeof(e.ek_sha256), "%s", a->ek->sha256);
	snprintf(e.ak_kind, sizeof(e.ak_kind), "%s", key_kind_text(ak_kind(a->ak->judged)));
	clock_text(clock_now(), e.enrolled_at);
	TRY(enrollment_encode(&e, &text));
	return state_write(a->state, STATE_ENROLLMENT, 0644, buf_view(&text));
}

enum err attempt_install(struct attempt *a)
{
	TRY(device_ak_write(a->ak, state_path(a->state, STATE_AK_KEY)));
	TRY(install_certificates(a));
	TRY(install_enrollment(a));
	/* Its key is in STATE_AK_KEY now. */
	unlink(state_path(a->state, STATE_AK_KEY_NEW));
	return OK;
}
