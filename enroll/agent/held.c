#include "enroll/agent/held.h"

#include "ca/base/file.h"
#include "ca/validity.h"
#include "enroll/agent/akfind.h"
#include "enroll/proto/limits.h"

#include <stdio.h>

const char *held_text(enum held_judgement judgement)
{
	static const char *const texts[] = {
		"nothing", "broken", "not-yet-valid", "expired", "due", "good"};

	return texts[judgement];
}

/* The intermediates; an empty file means that there are none. */
static enum err read_chain(struct state *state, STACK_OF(X509) **out)
{
	AUTO(buf_free) struct buf pem = BUF(CERTS_MAX);
	const char *path = state_path(state, STATE_CHAIN);

	TRY(file_read(path, &pem));
	return pem.n == 0 ? OK : certs_parse(buf_view(&pem), path, "pem-file", out);
}

enum err held_ak(struct state *state, const struct enrollment *enrollment, struct device_ak **out)
{
	AUTO(buf_free) struct buf public = BUF(LIMIT_PUBLIC);
	enum ak_hierarchy hierarchy;
	TPM2_HANDLE handle = 0;

	(void)ak_handle_read(enrollment->ak_handle, &handle);
	if (handle != 0 && !ak_hierarchy_read(enrollment->ak_hierarchy, &hierarchy)) {
		TRY(file_read(state_path(state, STATE_AK_PUBLIC), &public));
		return device_ak_public(buf_view(&public), handle, enrollment->service, out);
	}
	TRY(device_ak_read(state_path(state, STATE_AK_KEY), enrollment->service, out));
	(*out)->handle = handle;
	return OK;
}

static enum err check_key(
	struct state *state, X509 *certificate, const struct enrollment *enrollment)
{
	AUTO(device_ak_free) struct device_ak *ak = NULL;

	TRY(held_ak(state, enrollment, &ak));
	if (EVP_PKEY_eq(ak_pkey(ak->judged), X509_get0_pubkey(certificate)) != 1)
		return fail(
			ERR_INTERNAL, "state", "the certificate is for another key than the AK");
	return OK;
}

static enum err check_chain(struct state *state, const struct anchors *anchors, X509 *certificate)
{
	AUTO(x509_stack_free) STACK_OF(X509) *chain = NULL;
	AUTO(anchors_free) struct anchors *kept = NULL;

	TRY(read_chain(state, &chain));
	if (anchors == NULL) {
		TRY(anchors_read(state_path(state, STATE_ANCHORS), &kept));
		anchors = kept;
	}
	return anchors_check(anchors, certificate, chain);
}

static enum held_judgement judge_dates(const struct held *held, int64_t now)
{
	if (now < held->valid_from)
		return HELD_EARLY;
	if (now > held->valid_until)
		return HELD_EXPIRED;
	if (validity_is_due(held->valid_from, held->valid_until, now))
		return HELD_DUE;
	return HELD_GOOD;
}

static enum err judge(
	struct state *state, const struct anchors *anchors, int64_t now, struct held *out)
{
	AUTO(x509_stack_free) STACK_OF(X509) *leaf = NULL;
	X509 *certificate;

	TRY(certs_read(state_path(state, STATE_AK_CERT), "pem-file", &leaf));
	certificate = sk_X509_value(leaf, 0);
	cert_serial(certificate, out->serial);
	TRY(cert_validity(certificate, &out->valid_from, &out->valid_until));
	TRY(check_key(state, certificate, &out->enrollment));
	out->judgement = judge_dates(out, now);
	/* Out of its time nothing chains; the dates are then the better reason. */
	if (out->judgement == HELD_GOOD || out->judgement == HELD_DUE)
		TRY(check_chain(state, anchors, certificate));
	return OK;
}

void held_read(struct state *state, const struct anchors *anchors, int64_t now, struct held *out)
{
	enum err err;

	*out = (struct held){.judgement = HELD_NOTHING};
	err = state_enrollment(state, &out->enrollment);
	if (err == ERR_NOT_FOUND)
		return;
	if (err == OK)
		err = judge(state, anchors, now, out);
	if (err == OK)
		return;
	out->judgement = HELD_BROKEN;
	snprintf(out->problem, sizeof(out->problem), "%s", why()->sentence);
}
