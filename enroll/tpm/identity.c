#include "enroll/tpm/identity.h"

#include "ca/base/ossl.h"
#include "enroll/tpm/certfile.h"
#include "enroll/tpm/roca.h"

#include <ctype.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct identity {
	uint8_t ek_digest[32];
	enum key_kind kind;
	struct buf public;
	struct buf certificate;
	struct trust_verdict trust;
	char manufacturer[TPM_ATTRIBUTE_SIZE];
	char model[TPM_ATTRIBUTE_SIZE];
	char version[TPM_ATTRIBUTE_SIZE];
};

/* Clauses by their titles: their numbers differ between the profile's editions. */
#define PROFILE "TCG EK Credential Profile, "

/* The EK's public area, from the certificate's key and nothing else. */
static enum err judge_key(
	struct identity *identity, const X509 *cert, const struct ek_evidence *evidence)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);
	const struct ek_template *tmpl;

	if (key == NULL || key_kind_of(key, &identity->kind) != OK)
		return refuse(ERR_REJECTED, "ek-key", PROFILE "Endorsement Key",
			"the EK certificate's key is none of RSA of 2048, 3072 and 4096 bits, "
			"P-256, P-384 and P-521, or in an encoding that only TPM 1.2 used");
	if (is_roca(key))
		return refuse(ERR_REJECTED, "ek-roca", "CVE-2017-15361",
			"this EK can be computed from its public half: the TPM's firmware must be "
			"updated by its manufacturer's procedure");
	tmpl = ek_template_of(identity->kind);
	if (evidence->public.n > 0)
		TRY(ek_public_match(evidence->public, key, &tmpl));
	TRY(ek_public_build(tmpl, key, &identity->public));
	return spki_sha256(key, identity->ek_digest);
}

static void eku_free(EXTENDED_KEY_USAGE **eku)
{
	EXTENDED_KEY_USAGE_free(*eku);
}

/* tcg-kp-EKCertificate, 2.23.133.8.1 */
static bool has_ek_usage(const X509 *cert)
{
	AUTO(eku_free)
	EXTENDED_KEY_USAGE *eku = X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
	char oid[64];

	for (int i = 0; i < sk_ASN1_OBJECT_num(eku); i++)
		if (OBJ_obj2txt(oid, sizeof(oid), sk_ASN1_OBJECT_value(eku, i), 1) > 0 &&
			strcmp(oid, "2.23.133.8.1") == 0)
			return true;
	return false;
}

static enum err judge_usage(X509 *cert)
{
	uint32_t decrypts = KU_KEY_ENCIPHERMENT | KU_KEY_AGREEMENT;

	if ((X509_get_extension_flags(cert) & EXFLAG_INVALID) != 0)
		return refuse(ERR_MALFORMED, "ek-certificate", "RFC 5280 4.2",
			"an extension of the certificate cannot be read, or is there twice");
	/* X509_check_ca() alone says no to a CA whose key usage lacks keyCertSign. */
	if ((X509_get_extension_flags(cert) & EXFLAG_CA) != 0 || X509_check_ca(cert) != 0)
		return refuse(ERR_REJECTED, "ek-is-ca", PROFILE "Basic Constraints",
			"the certificate is a CA's, or may be taken for one");
	if (!has_ek_usage(cert))
		return refuse(ERR_REJECTED, "ek-eku", PROFILE "Extended Key Usage",
			"the certificate is not for an EK: it lacks the extended key usage "
			"2.23.133.8.1");
	if ((X509_get_extension_flags(cert) & EXFLAG_KUSAGE) == 0 ||
		(X509_get_key_usage(cert) & decrypts) == 0)
		return refuse(ERR_REJECTED, "ek-usage", PROFILE "Key Usage",
			"the EK may not decrypt: its key usage has neither keyEncipherment nor "
			"keyAgreement, so no credential can be made for it");
	return OK;
}

/* Keeps one attribute of the SAN's directoryName; only plain text, once each. */
static enum err keep_attribute(const X509_NAME_ENTRY *entry, char *out)
{
	const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
	int n = ASN1_STRING_length(value);
	const uint8_t *text = ASN1_STRING_get0_data(value);

	if (out[0] != '\0')
		return refuse(ERR_REJECTED, "ek-san", PROFILE "Subject Alternative Name",
			"a TPM attribute twice");
	if (n <= 0 || n >= TPM_ATTRIBUTE_SIZE)
		return refuse(ERR_REJECTED, "ek-san", PROFILE "Subject Alternative Name",
			"a TPM attribute of %d bytes", n);
	for (int i = 0; i < n; i++)
		if (!isprint(text[i]))
			return refuse(ERR_REJECTED, "ek-san", PROFILE "Subject Alternative Name",
				"a TPM attribute that is not plain text");
	snprintf(out, TPM_ATTRIBUTE_SIZE, "%.*s", n, text);
	return OK;
}

static enum err read_attributes(struct identity *identity, const X509_NAME *name)
{
	char oid[64];

	for (int i = 0; i < X509_NAME_entry_count(name); i++) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);

		OBJ_obj2txt(oid, sizeof(oid), X509_NAME_ENTRY_get_object(entry), 1);
		if (strcmp(oid, "2.23.133.2.1") == 0)
			TRY(keep_attribute(entry, identity->manufacturer));
		else if (strcmp(oid, "2.23.133.2.2") == 0)
			TRY(keep_attribute(entry, identity->model));
		else if (strcmp(oid, "2.23.133.2.3") == 0)
			TRY(keep_attribute(entry, identity->version));
	}
	return OK;
}

/* "id:" and eight hexadecimal digits: TCG Vendor ID Registry. */
static bool is_vendor_id(const char *text)
{
	return strlen(text) == 11 && strncmp(text, "id:", 3) == 0 &&
	       strspn(text + 3, "0123456789ABCDEFabcdef") == 8;
}

static void names_free(GENERAL_NAMES **names)
{
	GENERAL_NAMES_free(*names);
}

static enum err judge_san(struct identity *identity, const X509 *cert)
{
	AUTO(names_free)
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_DIRNAME)
			TRY(read_attributes(identity, name->d.directoryName));
	}
	if (!is_vendor_id(identity->manufacturer))
		return refuse(ERR_REJECTED, "ek-san", PROFILE "Subject Alternative Name",
			"the subject alternative name does not say which manufacturer made the "
			"TPM");
	if (identity->model[0] == '\0' || identity->version[0] == '\0')
		return refuse(ERR_REJECTED, "ek-san", PROFILE "Subject Alternative Name",
			"the subject alternative name lacks the TPM's model or version");
	return OK;
}

enum err identity_judge(const struct identity_rules *rules, const struct ek_evidence *evidence,
	struct identity **out)
{
	AUTO(identity_free) struct identity *identity = calloc(1, sizeof(*identity));
	AUTO(x509_free) X509 *cert = NULL;

	if (identity == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "identity_judge");
	identity->public = BUF(EK_PUBLIC_MAX);
	identity->certificate = BUF(evidence->certificate.n + 1);
	if (evidence->certificate.n == 0)
		return refuse(ERR_REJECTED, "ek-certificate-missing", "PROTOCOL ek",
			"no EK certificate: this service believes only EKs that a manufacturer "
			"vouches for");
	TRY(certificate_read(evidence->certificate, &cert));
	buf_add(&identity->certificate, evidence->certificate);
	TRY(buf_ok(&identity->certificate));
	TRY(judge_key(identity, cert, evidence));
	TRY(judge_usage(cert));
	TRY(judge_san(identity, cert));
	TRY(trust_verify(rules->trust,
		&(struct trust_question){cert, evidence->chain, evidence->chain_n,
			identity->manufacturer, identity->version, rules->now,
			rules->takes_expired},
		&identity->trust));
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

const struct trust_verdict *identity_trust(const struct identity *identity)
{
	return &identity->trust;
}

const char *identity_manufacturer(const struct identity *identity)
{
	return identity->manufacturer;
}

const char *identity_model(const struct identity *identity)
{
	return identity->model;
}

const char *identity_version(const struct identity *identity)
{
	return identity->version;
}

const char *identity_claimed_manufacturer(const struct identity *identity)
{
	return identity->manufacturer;
}

const char *identity_claimed_model(const struct identity *identity)
{
	return identity->model;
}

const char *identity_claimed_version(const struct identity *identity)
{
	return identity->version;
}

const struct reason *identity_doubt(const struct identity *identity)
{
	(void)identity;
	return NULL;
}

enum err identity_vouch(struct identity *identity, enum trust_class class, const char *source)
{
	(void)identity, (void)class, (void)source;
	return fail(ERR_INTERNAL, "not-built", "identity_vouch");
}
