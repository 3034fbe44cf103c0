#include "enroll/agent/holding.h"

#include "ca/base/encode.h"
#include "ca/base/file.h"
#include "ca/ssh.h"
#include "ca/sshkey.h"
#include "ca/validity.h"
#include "enroll/agent/keys.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char *held_text(enum held_judgement judgement)
{
	static const char *const texts[] = {
		"nothing", "broken", "not-yet-valid", "expired", "due", "good"};

	return texts[judgement];
}

enum held_judgement holding_dates(int64_t from, int64_t until, int64_t now)
{
	if (now < from)
		return HELD_EARLY;
	if (now > until)
		return HELD_EXPIRED;
	return validity_is_due(from, until, now) ? HELD_DUE : HELD_GOOD;
}

static enum err wrong_key(void)
{
	return fail(ERR_INTERNAL, "state", "the certificate is for another key than is kept");
}

static enum err judge_x509(const char *path, const struct brought *key,
	const struct anchors *anchors, int64_t now, struct holding *out)
{
	AUTO(x509_stack_free) STACK_OF(X509) *all = NULL;
	AUTO(buf_free) struct buf der = BUF(CERTS_MAX);
	X509 *leaf;

	TRY(certs_read(path, "pem-file", &all));
	leaf = sk_X509_value(all, 0);
	cert_serial(leaf, out->serial);
	TRY(cert_validity(leaf, &out->valid_from, &out->valid_until));
	TRY(cert_der_add(leaf, &der));
	TRY(SHA256_OF(out->digest, buf_view(&der)));
	if (!brought_is(key, X509_get0_pubkey(leaf)))
		return wrong_key();
	out->judgement = holding_dates(out->valid_from, out->valid_until, now);
	/* Out of its time nothing chains; the dates are then the better reason. */
	if (out->judgement == HELD_GOOD || out->judgement == HELD_DUE)
		TRY(anchors_check(anchors, leaf, all));
	return OK;
}

/* "TYPE BASE64 comment": the blob, whatever the type. */
static enum err read_blob(const char *path, struct buf *blob)
{
	AUTO(buf_free) struct buf text = BUF(CERTS_MAX);
	const char *from;
	size_t n;

	TRY(file_read(path, &text));
	from = buf_text(&text);
	n = strcspn(from, " ");
	from += n + (from[n] == ' ' ? 1 : 0);
	return base64_read((struct view){(const uint8_t *)from, strcspn(from, " \n")}, blob);
}

static enum err judge_ssh(
	const char *path, const struct brought *key, int64_t now, struct holding *out)
{
	AUTO(buf_free) struct buf blob = BUF(CERTS_MAX);
	struct ssh_certificate certificate;

	TRY(read_blob(path, &blob));
	TRY(ssh_certificate_parse(buf_view(&blob), &certificate));
	snprintf(out->serial, sizeof(out->serial), "%llu", (unsigned long long)certificate.serial);
	out->is_for_host = certificate.type == SSH_HOST;
	out->valid_from = (int64_t)certificate.valid_after;
	out->valid_until = (int64_t)certificate.valid_before;
	TRY(SHA256_OF(out->digest, buf_view(&blob)));
	TRY(ssh_certificate_verify(&certificate));
	if (!ssh_certificate_is_for(&certificate, buf_view(&key->ssh)))
		return wrong_key();
	out->judgement = holding_dates(out->valid_from, out->valid_until, now);
	return OK;
}

static enum err judge(struct state *state, const struct want *want, const struct device_ak *ak,
	const struct anchors *anchors, int64_t now, struct holding *out)
{
	AUTO(mem_free) char *ssh = state_file(state, want->template, STATE_SSH);
	AUTO(mem_free) char *full = state_file(state, want->template, STATE_FULLCHAIN);
	AUTO(brought_free) struct brought key = {.want = want};

	if (ssh == NULL || full == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "%s", want->template);
	TRY(keys_read(want, ak, state, &key));
	out->is_ssh = access(ssh, F_OK) == 0;
	return out->is_ssh ? judge_ssh(ssh, &key, now, out)
			   : judge_x509(full, &key, anchors, now, out);
}

void holding_read(struct state *state, const struct want *want, const struct device_ak *ak,
	const struct anchors *anchors, int64_t now, struct holding *out)
{
	*out = (struct holding){.judgement = HELD_BROKEN};
	if (judge(state, want, ak, anchors, now, out) == OK)
		return;
	out->judgement = HELD_BROKEN;
	snprintf(out->problem, sizeof(out->problem), "%s: %s", want->template, why()->sentence);
}
