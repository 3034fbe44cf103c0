#include "enroll/agent/held.h"

#include "ca/base/file.h"
#include "enroll/agent/akfind.h"
#include "enroll/proto/limits.h"

#include <stdio.h>
#include <string.h>

/* The intermediates; an empty file means that there are none. */
static enum err read_chain(struct state *state, STACK_OF(X509) **out)
{
	AUTO(buf_free) struct buf pem = BUF(CERTS_MAX);
	const char *path = state_path(state, STATE_CHAIN);

	TRY(file_read(path, &pem));
	return pem.n == 0 ? OK : certs_parse(buf_view(&pem), path, "pem-file", out);
}

enum err held_enrollment(struct state *state, struct enrollment *out)
{
	enum err err = state_enrollment(state, out);

	if (err == ERR_NOT_FOUND)
		return fail(ERR_NOT_FOUND, "file-missing",
			"%s: nothing is held here: enroll this machine first (endorse enroll)",
			state_dir(state));
	return err;
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

enum err held_ek(struct tpm *tpm, const struct enrollment *enrollment, const struct device_ak *ak,
	enum ek_certificate certificate, struct device_ek **out)
{
	return device_ak_needs_ek(ak)
		       ? device_ek_find(tpm, enrollment->ek_template, certificate, out)
		       : OK;
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

static void write_ak(struct held *out, const uint8_t digest[static SHA256_SIZE])
{
	struct holding *ak = &out->holdings[wanted_ak(&out->wanted)];

	*ak = (struct holding){.judgement = out->judgement,
		.valid_from = out->valid_from,
		.valid_until = out->valid_until};
	snprintf(ak->serial, sizeof(ak->serial), "%s", out->serial);
	memcpy(ak->digest, digest, SHA256_SIZE);
}

/* The AK's own, which machines that enrolled before templates could be chosen have too. */
static enum err judge_ak(struct state *state, const struct anchors *anchors, int64_t now,
	struct held *out, X509 *certificate)
{
	AUTO(x509_stack_free) STACK_OF(X509) *chain = NULL;

	cert_serial(certificate, out->serial);
	TRY(cert_validity(certificate, &out->valid_from, &out->valid_until));
	TRY(check_key(state, certificate, &out->enrollment));
	TRY(read_chain(state, &chain));
	out->judgement = holding_dates(out->valid_from, out->valid_until, now);
	/* Out of its time nothing chains; the dates are then the better reason. */
	if (out->judgement == HELD_GOOD || out->judgement == HELD_DUE)
		TRY(anchors_check(anchors, certificate, chain));
	return OK;
}

/* The worst of all is what is told first. */
static void judge_others(
	struct state *state, const struct anchors *anchors, int64_t now, struct held *out)
{
	AUTO(device_ak_free) struct device_ak *ak = NULL;
	size_t own = wanted_ak(&out->wanted);

	if (held_ak(state, &out->enrollment, &ak) != OK)
		return;
	for (size_t i = 0; i < out->wanted.n; i++) {
		struct holding *one = &out->holdings[i];

		if (i == own)
			continue;
		holding_read(state, &out->wanted.items[i], ak, anchors, now, one);
		if (one->judgement >= out->judgement)
			continue;
		out->judgement = one->judgement;
		snprintf(out->problem, sizeof(out->problem), "%s", one->problem);
	}
}

static enum err judge(
	struct state *state, const struct anchors *anchors, int64_t now, struct held *out)
{
	AUTO(x509_stack_free) STACK_OF(X509) *leaf = NULL;
	AUTO(anchors_free) struct anchors *kept = NULL;
	AUTO(buf_free) struct buf der = BUF(CERTS_MAX);
	uint8_t digest[SHA256_SIZE];

	TRY(state_wanted(state, &out->wanted));
	TRY(certs_read(state_path(state, STATE_AK_CERT), "pem-file", &leaf));
	if (anchors == NULL) {
		TRY(anchors_read(state_path(state, STATE_ANCHORS), &kept));
		anchors = kept;
	}
	TRY(judge_ak(state, anchors, now, out, sk_X509_value(leaf, 0)));
	TRY(cert_der_add(sk_X509_value(leaf, 0), &der));
	TRY(SHA256_OF(digest, buf_view(&der)));
	write_ak(out, digest);
	judge_others(state, anchors, now, out);
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
