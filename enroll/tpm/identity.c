#include "enroll/tpm/identity.h"

#include "ca/base/cert.h"
#include "ca/base/ossl.h"
#include "enroll/tpm/nvcert.h"
#include "enroll/tpm/roca.h"
#include "enroll/trust/certfile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct identity {
	uint8_t ek_digest[32];
	enum key_kind kind;
	struct buf public;
	struct buf certificate;
	char serial[CERT_SERIAL_SIZE]; /* of the certificate; "" where there is none */
	struct trust_verdict trust;
	struct ek_attributes says; /* the certificate does; a chain may prove it */
	struct kept_reason doubt; /* while it is TRUST_UNPROVEN */
};

static enum err bad_key(EVP_PKEY *key)
{
	const char *name = key == NULL ? NULL : EVP_PKEY_get0_type_name(key);

	return refuse(ERR_REJECTED, "ek-key", "TCG EK Credential Profile, Endorsement Key",
		"the EK certificate's key (%s, %d bits) is none of RSA of 2048, 3072 and 4096 bits "
		"with exponent 65537, P-256, P-384 and P-521; look whether the TPM has a "
		"certificate for another EK",
		name == NULL ? "of an unknown kind" : name,
		key == NULL ? 0 : EVP_PKEY_get_bits(key));
}

/* What is judged of every EK's key, and what is kept of it: nothing else says which EK it is. */
static enum err take_key(
	struct identity *identity, const struct key_numbers *key, const struct ek_template *tmpl)
{
	if (numbers_are_roca(key))
		return refuse(ERR_REJECTED, "ek-roca", "CVE-2017-15361",
			"this EK can be computed from its public half: the TPM's firmware must be "
			"updated by its manufacturer's procedure");
	identity->kind = tmpl->kind;
	TRY(ek_public_of(tmpl, key, &identity->public));
	return key_numbers_sha256(key, identity->ek_digest);
}

static enum err numbers_of(const X509 *cert, EVP_PKEY *key, struct key_numbers *out)
{
	AUTO(ossl_free) uint8_t *spki = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);

	if (n > 0 && key_numbers_read((struct view){spki, (size_t)n}, out))
		return OK;
	return key_numbers_of(key, out);
}

/* The EK's public area, from the certificate's key and nothing else. */
static enum err judge_key(
	struct identity *identity, const X509 *cert, const struct ek_evidence *evidence)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);
	const struct ek_template *tmpl;
	struct key_numbers numbers;

	if (key == NULL || numbers_of(cert, key, &numbers) != OK)
		return bad_key(key);
	tmpl = ek_template_of(numbers.kind);
	if (evidence->public.n > 0)
		TRY(ek_public_match(evidence->public, key, &tmpl));
	return take_key(identity, &numbers, tmpl);
}

/* Nothing else is wrong with it: its reason is put aside, and somebody of ours may vouch for it. */
static void be_unproven(struct identity *identity)
{
	reason_keep(&identity->doubt);
	identity->trust =
		(struct trust_verdict){.class = TRUST_UNPROVEN, .until = identity->trust.until};
}

static enum err judge_bare(struct identity *identity, const struct identity_rules *rules,
	const struct ek_evidence *evidence)
{
	AUTO(pkey_free) EVP_PKEY *key = NULL;
	const struct ek_template *tmpl;
	struct key_numbers numbers;
	enum err missing = refuse(ERR_REJECTED, "ek-certificate-missing", "PROTOCOL ek",
		"no EK certificate, and so no manufacturer that vouches for this TPM");

	if (!rules->takes_unproven)
		return missing;
	be_unproven(identity);
	if (evidence->public.n == 0)
		return refuse(ERR_REJECTED, "ek-public-missing", "PROTOCOL ek",
			"neither an EK certificate nor the EK's public area: send ek.public");
	TRY(ek_public_read(evidence->public, &key, &tmpl));
	TRY(key_numbers_of(key, &numbers));
	return take_key(identity, &numbers, tmpl);
}

/* What is asked of the chain, once nothing else is wrong: so "ek-untrusted" is the only fault. */
static enum err judge_chain(struct identity *identity, const struct identity_rules *rules,
	X509 *cert, const struct ek_evidence *evidence)
{
	const struct trust_question question = {cert, evidence->chain, evidence->chain_n,
		identity->says.manufacturer, identity->says.version, rules->now,
		rules->takes_expired};
	enum err err = trust_verify(rules->trust, &question, &identity->trust);
	bool is_expired;

	if (err == ERR_REJECTED && strcmp(why()->code, "ek-untrusted") == 0 &&
		rules->takes_unproven) {
		be_unproven(identity);
		TRY(ek_certificate_dates(cert, rules->now, rules->takes_expired, &is_expired));
		if (is_expired) {
			identity->trust.remarks = REMARK_EXPIRED;
			snprintf(identity->trust.remark, sizeof(identity->trust.remark),
				"the EK certificate has expired");
		}
		return OK;
	}
	TRY(err);
	if (rules->refuses_bad_firmware && (identity->trust.remarks & REMARK_FIRMWARE) != 0)
		return refuse(ERR_REJECTED, "ek-firmware", "policy: bad_firmware",
			"the TPM was made with firmware that is known to be bad, and this service "
			"takes none of those: %s",
			identity->trust.remark);
	return OK;
}

static enum err judge_certificate(struct identity *identity, const struct identity_rules *rules,
	const struct ek_evidence *evidence)
{
	AUTO(x509_free) X509 *cert = NULL;
	struct view der;

	TRY(nv_certificate_cut(evidence->certificate, &der));
	TRY(certificate_read_plainly(der, &cert));
	identity->certificate = BUF(der.n);
	buf_add(&identity->certificate, der);
	TRY(buf_ok(&identity->certificate));
	cert_serial(cert, identity->serial);
	TRY(ek_certificate_family(cert));
	TRY(judge_key(identity, cert, evidence));
	TRY(ek_certificate_form(cert, &identity->says));
	return judge_chain(identity, rules, cert, evidence);
}

enum err identity_judge(const struct identity_rules *rules, const struct ek_evidence *evidence,
	struct identity **out)
{
	AUTO(identity_free) struct identity *identity = calloc(1, sizeof(*identity));

	if (identity == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "identity_judge");
	identity->public = BUF(EK_PUBLIC_MAX);
	identity->trust.class = TRUST_UNPROVEN;
	identity->trust.until = INT64_MAX;
	if (evidence->certificate.n == 0)
		TRY(judge_bare(identity, rules, evidence));
	else
		TRY(judge_certificate(identity, rules, evidence));
	*out = MOVE(identity);
	return OK;
}

void identity_free(struct identity **identity)
{
	if (*identity == NULL)
		return;
	buf_free(&(*identity)->public);
	buf_free(&(*identity)->certificate);
	free(*identity);
	*identity = NULL;
}

static enum err buf_copy(const struct buf *from, struct buf *out)
{
	*out = BUF(from->limit);
	buf_add(out, buf_view(from));
	return buf_ok(out);
}

enum err identity_copy(const struct identity *identity, struct identity **out)
{
	AUTO(identity_free) struct identity *copy = malloc(sizeof(*copy));

	if (copy == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "identity_copy");
	*copy = *identity;
	copy->public = copy->certificate = (struct buf){0};
	copy->doubt.reason.sentence = copy->doubt.sentence;
	TRY(buf_copy(&identity->public, &copy->public));
	TRY(buf_copy(&identity->certificate, &copy->certificate));
	*out = MOVE(copy);
	return OK;
}

int64_t identity_until(const struct identity *identity)
{
	return identity->trust.until;
}

const uint8_t *identity_ek_digest(const struct identity *identity)
{
	return identity->ek_digest;
}

enum key_kind identity_kind(const struct identity *identity)
{
	return identity->kind;
}

struct view identity_public(const struct identity *identity)
{
	return buf_view(&identity->public);
}

struct view identity_certificate(const struct identity *identity)
{
	return buf_view(&identity->certificate);
}

const char *identity_serial(const struct identity *identity)
{
	return identity->serial;
}

const struct trust_verdict *identity_trust(const struct identity *identity)
{
	return &identity->trust;
}

/* Only a root of the manufacturer's or of the operator's proves what the certificate says. */
static const char *proven(const struct identity *identity, const char *text)
{
	switch (identity->trust.class) {
	case TRUST_MANUFACTURER:
	case TRUST_OPERATOR_IMPORT:
		return text;
	case TRUST_ALLOW_LIST:
	case TRUST_APPROVED:
	case TRUST_UNPROVEN:
		break;
	}
	return "";
}

const char *identity_manufacturer(const struct identity *identity)
{
	return proven(identity, identity->says.manufacturer);
}

const char *identity_model(const struct identity *identity)
{
	return proven(identity, identity->says.model);
}

const char *identity_version(const struct identity *identity)
{
	return proven(identity, identity->says.version);
}

const char *identity_claimed_manufacturer(const struct identity *identity)
{
	return identity->says.manufacturer;
}

const char *identity_claimed_model(const struct identity *identity)
{
	return identity->says.model;
}

const char *identity_claimed_version(const struct identity *identity)
{
	return identity->says.version;
}

const struct reason *identity_doubt(const struct identity *identity)
{
	return identity->trust.class == TRUST_UNPROVEN ? &identity->doubt.reason : NULL;
}

enum err identity_vouch(struct identity *identity, enum trust_class class, const char *source)
{
	if (identity->trust.class != TRUST_UNPROVEN)
		return fail(ERR_INTERNAL, "ek-vouched", "this EK is %s already",
			trust_class_text(identity->trust.class));
	if (class != TRUST_ALLOW_LIST && class != TRUST_APPROVED)
		return fail(ERR_INTERNAL, "ek-vouched", "nobody here can make an EK %s",
			trust_class_text(class));
	identity->trust.class = class;
	snprintf(identity->trust.source, sizeof(identity->trust.source), "%s", source);
	return OK;
}
