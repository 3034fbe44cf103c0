#include "tests/softtpm/enrollment.h"

#include "enroll/tpm/certified.h"
#include "tests/softtpm/activate.h"

#include <stdio.h>
#include <string.h>

void soft_device_free(struct soft_device *device)
{
	soft_key_free(&device->ek);
	soft_key_free(&device->ak);
	buf_free(&device->ek_certificate);
	buf_free(&device->ek_public);
}

void soft_enrollment_init(struct soft_enrollment *x, const struct soft_device *device)
{
	*x = (struct soft_enrollment){
		.device = device, .claim = BUF(LIMIT_CLAIM), .request = BUF(LIMIT_REQUEST)};
	challenge_init(&x->challenge);
}

void soft_enrollment_free(struct soft_enrollment *x)
{
	buf_free(&x->claim);
	buf_free(&x->request);
	challenge_free(&x->challenge);
	key_wipe(&x->session);
	answer_free(&x->answer);
}

enum err soft_enrollment_begin(struct soft_enrollment *x, const char *service, struct buf *body)
{
	const struct soft_device *device = x->device;
	AUTO(buf_free) struct buf ak = BUF(LIMIT_PUBLIC);
	struct claim claim = {.service = service,
		.host = device->host[0] == '\0' ? NULL : device->host,
		.ek_certificate = buf_view(&device->ek_certificate),
		.ek_public = buf_view(&device->ek_public),
		.ek_chain_n = device->chain_n};

	if (!soft_key_public(&device->ak, &ak))
		return fail(ERR_INTERNAL, "soft-ak", "the AK's public area cannot be marshalled");
	claim.ak_public = buf_view(&ak);
	memcpy(claim.ek_chain, device->chain, sizeof(claim.ek_chain));
	TRY(claim_encode(&claim, &x->claim));
	return ticket_request_encode(buf_view(&x->claim), body);
}

static enum err activate(struct soft_enrollment *x)
{
	const TPM2B_NAME *name = &x->device->ak.name;
	TPM2B_DIGEST credential;

	if (!soft_activate(&x->device->ek, VIEW_2B(name, name),
		    buf_view(&x->challenge.credential_blob), buf_view(&x->challenge.secret),
		    &credential) ||
		credential.size != sizeof(x->session.bytes))
		return fail(ERR_UNPROVEN, "soft-activate",
			"the credential is not for this EK and this AK");
	memcpy(x->session.bytes, credential.buffer, sizeof(x->session.bytes));
	return OK;
}

static struct transcript transcript_of(const struct soft_enrollment *x)
{
	return (struct transcript){
		buf_view(&x->challenge.ticket), buf_view(&x->claim), buf_view(&x->request)};
}

enum err soft_attest_put(const struct soft_attest *made, struct request_key *out)
{
	buf_free(&out->attest);
	buf_free(&out->signature);
	if (!soft_attest_bytes(made, &out->attest, &out->signature))
		return fail(ERR_INTERNAL, "soft-attest", "a statement cannot be marshalled");
	return OK;
}

enum err soft_key_testify(const struct soft_key *signer, const struct soft_key *key,
	struct view extra, struct request_key *out)
{
	struct soft_attest made;

	buf_free(&out->public);
	if (!soft_key_public(key, &out->public) ||
		!soft_certify(signer, key, extra, &soft_moment_now, &made))
		return fail(ERR_INTERNAL, "soft-attest", "the AK does not certify this key");
	return soft_attest_put(&made, out);
}

static enum err want(
	const struct soft_enrollment *x, const struct soft_want *wanted, struct request_key *out)
{
	uint8_t extra[32];

	snprintf(out->template, sizeof(out->template), "%s", wanted->template);
	buf_add(&out->spki, wanted->spki);
	buf_add(&out->ssh, wanted->ssh);
	if (wanted->certified == NULL)
		return OK;
	TRY(certify_qualifying(buf_view(&x->challenge.ticket), extra));
	return soft_key_testify(&x->device->ak, wanted->certified, VIEW(extra), out);
}

static enum err ask(struct soft_enrollment *x)
{
	const struct soft_want only = {.template = x->template == NULL ? "ak" : x->template};
	AUTO(request_free) struct request request;

	request_init(&request);
	request.is_check = x->is_check;
	request.keys_n = x->wants_n > 0 ? x->wants_n : 1;
	for (size_t i = 0; i < request.keys_n; i++)
		TRY(want(x, x->wants_n > 0 ? &x->wants[i] : &only, &request.keys[i]));
	if (x->alter != NULL)
		x->alter(x, &request);
	return request_encode(&request, &x->request);
}

enum err soft_enrollment_prove(struct soft_enrollment *x, struct view answer, struct buf *body)
{
	struct enroll_request whole;
	struct transcript transcript;

	TRY(challenge_parse(answer, &x->challenge));
	TRY(activate(x));
	TRY(ask(x));
	transcript = transcript_of(x);
	TRY(proof_make(&x->session, &transcript, x->proof));
	whole = (struct enroll_request){
		.ticket = x->challenge.ticket, .claim = x->claim, .request = x->request};
	memcpy(whole.proof, x->proof, sizeof(whole.proof));
	return enroll_request_encode(&whole, body);
}

enum err soft_enrollment_end(struct soft_enrollment *x, struct view answer)
{
	AUTO(buf_free) struct buf sealed = BUF(LIMIT_ANSWER), json = BUF(LIMIT_ANSWER);
	struct transcript transcript = transcript_of(x);

	TRY(sealed_parse(answer, &sealed));
	TRY(answer_open(&x->session, &transcript, x->proof, buf_view(&sealed), &json));
	return answer_parse(buf_view(&json), &x->answer);
}
