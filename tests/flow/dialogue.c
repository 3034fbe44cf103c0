#include "tests/flow/dialogue.h"

#include "tests/flow/process.h"

#include <stdio.h>
#include <string.h>

#define MUST_OK(call) must((call) == OK, "%s: %s", why()->code, why()->sentence)

void dialogue_init(struct dialogue *x, struct device *device, const struct httpc_peer *peer,
	const char *service, const char *host)
{
	*x = (struct dialogue){.device = device,
		.peer = peer,
		.service = service,
		.host = host,
		.template = "ak",
		.ek_certificate = BUF(LIMIT_EK_CERTIFICATE),
		.ek_public = BUF(2 * LIMIT_PUBLIC),
		.ak_public = BUF(2 * LIMIT_PUBLIC),
		.claim = BUF(LIMIT_CLAIM),
		.request = BUF(LIMIT_REQUEST),
		.sealed = BUF(LIMIT_ANSWER)};
	challenge_init(&x->challenge);
}

void dialogue_free(struct dialogue *x)
{
	device_key_free(x->device, &x->ak);
	device_key_free(x->device, &x->ek);
	buf_free(&x->ek_certificate);
	buf_free(&x->ek_public);
	buf_free(&x->ak_public);
	buf_free(&x->claim);
	challenge_free(&x->challenge);
	key_wipe(&x->session);
	buf_free(&x->request);
	buf_free(&x->sealed);
	answer_free(&x->answer);
	httpc_answer_free(&x->last);
}

static void load_ek(struct dialogue *x, enum key_kind kind)
{
	x->kind = kind;
	device_ek(x->device, kind, &x->ek);
	must(device_nv_read(x->device, ek_template_of(kind)->nv_certificate, &x->ek_certificate),
		"this TPM has no certificate for its %s EK", key_kind_text(kind));
}

void dialogue_other_ek(struct dialogue *x, enum key_kind kind)
{
	device_key_free(x->device, &x->ek);
	buf_free(&x->ek_certificate);
	load_ek(x, kind);
}

void dialogue_keys(struct dialogue *x, enum key_kind kind, enum ak_shape shape)
{
	TPM2B_PUBLIC template;

	load_ek(x, kind);
	ak_template(shape, x->service, &template);
	device_primary(x->device, ESYS_TR_RH_ENDORSEMENT, &template, &x->ak);
	buf_add(&x->ak_public, buf_view(&x->ak.public));
}

void dialogue_claim(struct dialogue *x)
{
	struct claim claim = {.service = x->service,
		.host = x->host,
		.ek_certificate = buf_view(&x->ek_certificate),
		.ek_public = buf_view(&x->ek_public),
		.ak_public = buf_view(&x->ak_public)};

	buf_free(&x->claim);
	MUST_OK(claim_encode(&claim, &x->claim));
}

static int post(struct dialogue *x, const char *path, const struct buf *body)
{
	httpc_answer_free(&x->last);
	httpc_post(x->peer, path, buf_view(body), &x->last);
	x->problem = (struct problem){0};
	if (x->last.status != 200 && x->last.status != 0 && x->last.body.n > 0)
		MUST_OK(problem_parse(buf_view(&x->last.body), &x->problem));
	return x->last.status;
}

int dialogue_ticket(struct dialogue *x)
{
	AUTO(buf_free) struct buf body = BUF(LIMIT_TICKET_BODY);

	MUST_OK(ticket_request_encode(buf_view(&x->claim), &body));
	if (post(x, "/v1/ticket", &body) != 200)
		return x->last.status;
	challenge_free(&x->challenge);
	challenge_init(&x->challenge);
	MUST_OK(challenge_parse(buf_view(&x->last.body), &x->challenge));
	return 200;
}

bool dialogue_activate(struct dialogue *x)
{
	return device_activate(x->device, x->kind, &x->ek, &x->ak,
		buf_view(&x->challenge.credential_blob), buf_view(&x->challenge.secret),
		&x->session, &x->rc);
}

static struct transcript transcript_of(const struct dialogue *x)
{
	return (struct transcript){.ticket = buf_view(&x->challenge.ticket),
		.claim = buf_view(&x->claim),
		.request = buf_view(&x->request)};
}

void dialogue_prove_again(struct dialogue *x)
{
	struct transcript transcript = transcript_of(x);

	MUST_OK(proof_make(&x->session, &transcript, x->proof));
}

void dialogue_prove(struct dialogue *x)
{
	AUTO(request_free) struct request request;

	request_init(&request);
	request.keys_n = 1;
	request.is_check = x->is_check;
	snprintf(request.keys[0].template, sizeof(request.keys[0].template), "%s", x->template);
	buf_free(&x->request);
	MUST_OK(request_encode(&request, &x->request));
	dialogue_prove_again(x);
}

void dialogue_enroll_body(const struct dialogue *x, struct buf *body)
{
	struct enroll_request request = {
		.ticket = x->challenge.ticket, .claim = x->claim, .request = x->request};

	memcpy(request.proof, x->proof, sizeof(request.proof));
	MUST_OK(enroll_request_encode(&request, body));
}

int dialogue_enroll(struct dialogue *x)
{
	AUTO(buf_free) struct buf body = BUF(LIMIT_ENROLL_BODY);

	dialogue_enroll_body(x, &body);
	if (post(x, "/v1/enroll", &body) != 200)
		return x->last.status;
	buf_free(&x->sealed);
	MUST_OK(sealed_parse(buf_view(&x->last.body), &x->sealed));
	return 200;
}

void dialogue_open(struct dialogue *x)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_ANSWER);
	struct transcript transcript = transcript_of(x);

	answer_free(&x->answer);
	MUST_OK(answer_open(&x->session, &transcript, x->proof, buf_view(&x->sealed), &json));
	MUST_OK(answer_parse(buf_view(&json), &x->answer));
}

int dialogue_run(struct dialogue *x)
{
	dialogue_claim(x);
	if (dialogue_ticket(x) != 200)
		return x->last.status;
	must(dialogue_activate(x), "TPM2_ActivateCredential: 0x%x", x->rc);
	dialogue_prove(x);
	if (dialogue_enroll(x) == 200)
		dialogue_open(x);
	return x->last.status;
}
