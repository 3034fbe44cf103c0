#include "enroll/flow/evidence.h"

#include "ca/base/oid.h"
#include "ca/base/ossl.h"
#include "ca/key.h"
#include "ca/sshkey.h"
#include "enroll/tpm/roca.h"

#include <limits.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#define BITS_MAX 4096 /* bytes */

void evidence_free(struct evidence_list *list)
{
	for (size_t i = 0; i < LIMIT_KEYS; i++) {
		buf_free(&list->item[i].bits);
		certified_free(&list->item[i].certified);
	}
	list->n = 0;
}

bool makes_ak_certificates(const struct template *tmpl)
{
	char *const *usage = tmpl->extended_key_usage.item;

	if (template_kind(tmpl) != TEMPLATE_X509 || template_key(tmpl) != TEMPLATE_KEY_AK)
		return false;
	for (size_t i = 0; i < tmpl->extended_key_usage.n; i++)
		if (strcmp(usage[i], OID_AK_CERTIFICATE) == 0)
			return true;
	return false;
}

static void spki_free(X509_PUBKEY **spki)
{
	X509_PUBKEY_free(*spki);
}

/* Another encoding of the same key is not taken, and has no digest. */
static enum err encode_spki(const struct grant_key *key, struct buf *out)
{
	AUTO(spki_free) X509_PUBKEY *spki = X509_PUBKEY_new();
	AUTO(ossl_free) uint8_t *der = NULL;
	int n;

	if (spki == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "encode_spki");
	TRY(key_spki(key, spki));
	if ((n = i2d_X509_PUBKEY(spki, &der)) <= 0)
		return fail(ERR_INTERNAL, "crypto", "cannot encode a public key");
	buf_add(out, (struct view){der, (size_t)n});
	return buf_ok(out);
}

static enum err digest_key(struct evidence *evidence)
{
	AUTO(buf_free) struct buf spki = BUF(BITS_MAX);

	TRY(encode_spki(&evidence->key, &spki));
	return SHA256_OF(evidence->key_sha256, buf_view(&spki));
}

/* What is wrong with a key that nothing but the device speaks for; NULL: nothing. */
static const char *fault_of(EVP_PKEY *key)
{
	const EVP_MD *md;

	if (!key_signs_with(key, &md))
		return "the key is none of those that are certified: RSA of 2048 to 4096 bits with "
		       "exponent 65537, P-256, P-384, P-521 or Ed25519";
	if (is_roca(key))
		return "the key's private half can be computed (ROCA, CVE-2017-15361)";
	return NULL;
}

static enum err judge_spki(struct view der, struct evidence *out)
{
	const uint8_t *end = der.p;
	AUTO(pkey_free)
	EVP_PKEY *key = der.n > LONG_MAX ? NULL : d2i_PUBKEY(NULL, &end, (long)der.n);
	AUTO(buf_free) struct buf ours = BUF(BITS_MAX);
	const char *fault;

	ERR_clear_error();
	if (key == NULL || end != der.p + der.n)
		return refuse(ERR_MALFORMED, "spki", "RFC 5280 4.1.2.7",
			"not one whole SubjectPublicKeyInfo");
	if ((fault = fault_of(key)) != NULL)
		return refuse(ERR_MALFORMED, "spki", "PROTOCOL keys", "%s", fault);
	TRY(key_public(key, &out->bits, &out->key));
	TRY(encode_spki(&out->key, &ours));
	if (!view_equal(der, buf_view(&ours)))
		return refuse(ERR_MALFORMED, "spki", "RFC 5480 2.1.1, X.690 10",
			"the SubjectPublicKeyInfo is not in DER with a named curve and an "
			"uncompressed point");
	return OK;
}

static enum err judge_ssh(struct view blob, struct evidence *out)
{
	AUTO(pkey_free) EVP_PKEY *key = NULL;
	const char *fault;

	TRY(sshkey_parse(blob, &out->bits, &out->key));
	TRY(sshkey_public(blob, &key));
	if ((fault = fault_of(key)) != NULL)
		return refuse(ERR_MALFORMED, "ssh-key", "PROTOCOL keys", "%s", fault);
	return OK;
}

/* An EC key gives its point away only for a modular inversion, and the AK's is known. */
static enum err take_ak(const struct ak *ak, struct buf *bits, struct grant_key *out)
{
	const struct view point = ak_point(ak);

	if (point.n == 0)
		return key_public(ak_pkey(ak), bits, out);
	buf_add(bits, point);
	TRY(buf_ok(bits));
	*out = (struct grant_key){.curve = key_kind_group(ak_kind(ak)), .bits = buf_view(bits)};
	return OK;
}

/* As a key of TLS it would be promised to sign what others hand it, and not be told from one that was made for that. */
static enum err judge_not_the_ak(const struct ak *ak, const struct evidence *evidence)
{
	AUTO(buf_free) struct buf bits = BUF(BITS_MAX);
	struct grant_key key;

	TRY(take_ak(ak, &bits, &key));
	if (view_equal(key.bits, evidence->key.bits))
		return refuse(ERR_MALFORMED, "request-key", "PROTOCOL request",
			"the key is the AK, which signs only what its TPM made: it is certified by "
			"templates of key: ak alone");
	return OK;
}

static enum err judge_any(
	const struct request_key *asked, const struct ak *ak, struct evidence *out)
{
	if (asked->ssh.n > 0)
		TRY(judge_ssh(buf_view(&asked->ssh), out));
	else
		TRY(judge_spki(buf_view(&asked->spki), out));
	return judge_not_the_ak(ak, out);
}

static enum err judge_certified(const struct request_key *asked, const struct ak *ak,
	struct view ticket, struct evidence *out)
{
	const struct certify_evidence sent = {
		buf_view(&asked->public), buf_view(&asked->attest), buf_view(&asked->signature)};
	uint8_t extra[SHA256_SIZE];

	TRY(certify_qualifying(ticket, extra));
	TRY(certified_judge(&sent, ak, VIEW(extra), &out->certified));
	if (certified_decrypts(out->certified) && !out->tmpl->decrypt)
		return refuse(ERR_REJECTED, "key-decrypts", "PROTOCOL keys",
			"the key also decrypts, and this template has none of those (decrypt: "
			"true): make one that only signs");
	return key_public(certified_pkey(out->certified), &out->bits, &out->key);
}

/* Which members there are; bits. */
enum { NO_MEMBER = 0, STATEMENT = 1, PART_OF_STATEMENT = 2, SPKI = 4, SSH = 8 };

static unsigned members_of(const struct request_key *asked)
{
	size_t parts =
		(size_t)(asked->public.n > 0) + (asked->attest.n > 0) + (asked->signature.n > 0);

	return (parts == 3	   ? STATEMENT
		       : parts > 0 ? PART_OF_STATEMENT
				   : NO_MEMBER) |
	       (asked->spki.n > 0 ? SPKI : NO_MEMBER) | (asked->ssh.n > 0 ? SSH : NO_MEMBER);
}

static enum err judge_members(const struct request_key *asked, const struct template *tmpl)
{
	static const char *const wanted[] = {
		[TEMPLATE_KEY_AK] =
			"the AK, which is sent in the claim: nothing beside the template's name",
		[TEMPLATE_KEY_CERTIFIED] =
			"a key that the AK certified: public, attest and signature",
		[TEMPLATE_KEY_ANY] = "any key: spki, or ssh, or public, attest and signature",
	};
	unsigned members = members_of(asked);
	enum template_key class = template_key(tmpl);
	bool is_right = class == TEMPLATE_KEY_AK ? members == NO_MEMBER
			: class == TEMPLATE_KEY_CERTIFIED
				? members == STATEMENT
				: members == SPKI || members == SSH || members == STATEMENT;

	if (!is_right)
		return refuse(ERR_MALFORMED, "request-key", "PROTOCOL request",
			"the template is for %s", wanted[class]);
	return OK;
}

static enum err judge_key(const struct request_key *asked, const struct ak *ak, struct view ticket,
	struct evidence *out)
{
	TRY(judge_members(asked, out->tmpl));
	if (template_key(out->tmpl) == TEMPLATE_KEY_AK)
		TRY(take_ak(ak, &out->bits, &out->key));
	else if (asked->public.n > 0)
		TRY(judge_certified(asked, ak, ticket, out));
	else
		TRY(judge_any(asked, ak, out));
	return digest_key(out);
}

/* Of several keys it matters which one it was. */
static enum err tell_which(const struct request *request, size_t which, enum err err)
{
	struct kept_reason kept;
	char sentence[sizeof(kept.sentence)];

	if (request->keys_n == 1)
		return err;
	reason_keep(&kept);
	snprintf(sentence, sizeof(sentence), "key %zu, for \"%s\": %.380s", which + 1,
		request->keys[which].template, kept.sentence);
	memcpy(kept.sentence, sentence, sizeof(kept.sentence));
	return reason_again(&kept);
}

/* One key has one certificate by a template; two would be given the same place in the records. */
static enum err judge_twice(const struct evidence_list *list, size_t last)
{
	const struct evidence *item = list->item;

	for (size_t i = 0; i < last; i++)
		if (item[i].tmpl == item[last].tmpl &&
			memcmp(item[i].key_sha256, item[last].key_sha256, SHA256_SIZE) == 0)
			return refuse(ERR_MALFORMED, "request-keys", "PROTOCOL request",
				"asks twice for a certificate by \"%s\" for the same key",
				item[last].tmpl->name);
	return OK;
}

enum err evidence_judge(const struct service *service, const struct ak *ak, struct view ticket,
	const struct request *request, struct evidence_list *out)
{
	for (size_t i = 0; i < request->keys_n; i++) {
		struct evidence *evidence = &out->item[i];
		enum err err = OK;

		evidence->bits = BUF(BITS_MAX);
		evidence->tmpl = signer_template_named(service->signer, request->keys[i].template);
		out->n = i + 1;
		if (evidence->tmpl == NULL)
			continue;
		err = judge_key(&request->keys[i], ak, ticket, evidence);
		if (err != OK)
			return tell_which(request, i, err);
		TRY(judge_twice(out, i));
	}
	return OK;
}
