#include "enroll/tpm/ekcert.h"

#include "ca/base/cert.h"
#include "ca/base/oid.h"
#include "ca/base/ossl.h"
#include "ca/base/purpose.h"
#include "enroll/tpm/nvcert.h"
#include "enroll/trust/certfile.h"

#include <ctype.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

/* Clauses by their titles: their numbers differ between the profile's editions. */
#define PROFILE "TCG EK Credential Profile, "
#define SAN PROFILE "Subject Alternative Name"

enum err ek_certificate_read(struct view content, struct view *der, X509 **out)
{
	struct view cut;

	TRY(nv_certificate_cut(content, &cut));
	TRY(certificate_read(cut, out));
	*der = cut;
	return OK;
}

static void types_free(ASN1_SEQUENCE_ANY **types)
{
	sk_ASN1_TYPE_pop_free(*types, ASN1_TYPE_free);
	*types = NULL;
}

static void attribute_free(X509_ATTRIBUTE **attribute)
{
	X509_ATTRIBUTE_free(*attribute);
}

/* 2.23.133.2.N, an attribute of the TCG's, by the content of its DER. */
static bool is_attribute(const ASN1_OBJECT *object, uint8_t number)
{
	const uint8_t wanted[] = {0x67, 0x81, 0x05, 0x02, number};
	const struct view content = {OBJ_get0_data(object), OBJ_length(object)};

	return view_equal(content, VIEW(wanted));
}

/* The members of a SEQUENCE that is in `value`; NULL when there is none. */
static ASN1_SEQUENCE_ANY *members_of(const ASN1_STRING *value)
{
	const uint8_t *p = ASN1_STRING_get0_data(value);

	return d2i_ASN1_SEQUENCE_ANY(NULL, &p, ASN1_STRING_length(value));
}

/* Is this Attribute a tPMSpecification { family UTF8String, level, revision } of family 1.x? */
static bool is_of_family_1(const ASN1_TYPE *type)
{
	AUTO(attribute_free) X509_ATTRIBUTE *attribute = NULL;
	AUTO(types_free) ASN1_SEQUENCE_ANY *specification = NULL;
	const ASN1_TYPE *value, *family;
	const uint8_t *p;

	if (type->type != V_ASN1_SEQUENCE)
		return false;
	p = ASN1_STRING_get0_data(type->value.sequence);
	attribute = d2i_X509_ATTRIBUTE(NULL, &p, ASN1_STRING_length(type->value.sequence));
	if (attribute == NULL || !is_attribute(X509_ATTRIBUTE_get0_object(attribute), 16) ||
		(value = X509_ATTRIBUTE_get0_type(attribute, 0)) == NULL ||
		value->type != V_ASN1_SEQUENCE ||
		(specification = members_of(value->value.sequence)) == NULL ||
		sk_ASN1_TYPE_num(specification) == 0)
		return false;
	family = sk_ASN1_TYPE_value(specification, 0);
	return family->type == V_ASN1_UTF8STRING &&
	       ASN1_STRING_length(family->value.utf8string) > 2 &&
	       memcmp(ASN1_STRING_get0_data(family->value.utf8string), "1.", 2) == 0;
}

static bool says_tpm12(const X509 *cert)
{
	int at = X509_get_ext_by_NID(cert, NID_subject_directory_attributes, -1);
	AUTO(types_free) ASN1_SEQUENCE_ANY *attributes = NULL;

	if (at < 0)
		return false;
	attributes = members_of(X509_EXTENSION_get_data(X509_get_ext(cert, at)));
	for (int i = 0; i < sk_ASN1_TYPE_num(attributes); i++)
		if (is_of_family_1(sk_ASN1_TYPE_value(attributes, i)))
			return true;
	return false;
}

enum err ek_certificate_family(const X509 *cert)
{
	ASN1_OBJECT *algorithm = NULL;
	bool is_tpm12;

	X509_PUBKEY_get0_param(&algorithm, NULL, NULL, NULL, X509_get_X509_PUBKEY(cert));
	is_tpm12 = OBJ_obj2nid(algorithm) == NID_rsaesOaep || says_tpm12(cert);
	ERR_clear_error();
	if (is_tpm12)
		return refuse(ERR_REJECTED, "ek-tpm12", "TPM 2.0 Part 1",
			"this is the EK certificate of a TPM 1.2, which cannot do what an "
			"enrollment "
			"asks of a TPM 2.0; look for a firmware setting (\"TPM 2.0\", \"PTT\", "
			"\"fTPM\") or a firmware update that gives the machine a TPM 2.0");
	return OK;
}

static enum err judge_purpose(const X509 *cert)
{
	if (purpose_is_among(cert, OID_EK_CERTIFICATE))
		return OK;
	if (purpose_is_among(cert, OID_AK_CERTIFICATE))
		return refuse(ERR_REJECTED, "ek-eku", PROFILE "Extended Key Usage",
			"this is the certificate of an attestation key (extended key "
			"usage " OID_AK_CERTIFICATE
			"), not of an EK; send the EK's, which the TPM has in its NV index "
			"0x01c00002 or one of those that follow");
	return refuse(ERR_REJECTED, "ek-eku", PROFILE "Extended Key Usage",
		"the certificate is not for an EK: it lacks the extended key "
		"usage " OID_EK_CERTIFICATE);
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
			"the certificate is a CA's, or may be taken for one; send the EK's own, "
			"and "
			"a CA's in ek.chain");
	TRY(judge_purpose(cert));
	if ((X509_get_extension_flags(cert) & EXFLAG_KUSAGE) == 0 ||
		(X509_get_key_usage(cert) & decrypts) == 0)
		return refuse(ERR_REJECTED, "ek-usage", PROFILE "Key Usage",
			"the EK may not decrypt: its key usage has neither keyEncipherment nor "
			"keyAgreement, so no credential can be made for it; where a TPM has a "
			"signing EK too (Google's have), send the certificate of the other one");
	return OK;
}

/* What a critical extension demands is not known here: RFC 5280 4.2 says what that means. */
static enum err judge_critical(X509 *cert)
{
	for (int i = 0; i < X509_get_ext_count(cert); i++) {
		X509_EXTENSION *extension = X509_get_ext(cert, i);
		char name[96];

		if (!X509_EXTENSION_get_critical(extension) || X509_supported_extension(extension))
			continue;
		OBJ_obj2txt(name, sizeof(name), X509_EXTENSION_get_object(extension), 1);
		return refuse(ERR_REJECTED, "ek-extension", "RFC 5280 4.2",
			"the certificate has the critical extension %s, which this service does "
			"not "
			"know, and so may not pass over; tell the operator which TPM this is",
			name);
	}
	return OK;
}

/* Keeps one attribute of the SAN's directoryName; only plain text, once each. */
static enum err keep_attribute(const X509_NAME_ENTRY *entry, char *out)
{
	const ASN1_STRING *value = X509_NAME_ENTRY_get_data(entry);
	int n = ASN1_STRING_length(value);
	const uint8_t *text = ASN1_STRING_get0_data(value);

	if (out[0] != '\0')
		return refuse(ERR_REJECTED, "ek-san", SAN, "a TPM attribute twice");
	if (n <= 0 || n >= TPM_ATTRIBUTE_SIZE)
		return refuse(ERR_REJECTED, "ek-san", SAN, "a TPM attribute of %d bytes", n);
	for (int i = 0; i < n; i++)
		if (!isprint(text[i]))
			return refuse(ERR_REJECTED, "ek-san", SAN,
				"a TPM attribute that is not plain text");
	snprintf(out, TPM_ATTRIBUTE_SIZE, "%.*s", n, text);
	return OK;
}

/* One RDN each or all in one, in any order: both are found. */
static enum err read_attributes(const X509_NAME *name, struct ek_attributes *out)
{
	for (int i = 0; i < X509_NAME_entry_count(name); i++) {
		const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
		const ASN1_OBJECT *object = X509_NAME_ENTRY_get_object(entry);

		if (is_attribute(object, 1))
			TRY(keep_attribute(entry, out->manufacturer));
		else if (is_attribute(object, 2))
			TRY(keep_attribute(entry, out->model));
		else if (is_attribute(object, 3))
			TRY(keep_attribute(entry, out->version));
	}
	return OK;
}

/* "id:" and eight hexadecimal digits: TCG Vendor ID Registry. */
static bool is_vendor_id(const char *text)
{
	return strlen(text) == 11 && strncmp(text, "id:", 3) == 0 &&
	       strspn(text + 3, "0123456789ABCDEFabcdef") == 8;
}

enum err ek_certificate_names(X509 *cert, struct ek_attributes *out)
{
	AUTO(general_names_free)
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

	if (names == NULL)
		return refuse(ERR_REJECTED, "ek-san", SAN,
			"the certificate has no subject alternative name, so it does not say which "
			"manufacturer made the TPM, and no root may vouch for just anybody's");
	if (X509_NAME_entry_count(X509_get_subject_name(cert)) == 0 &&
		(X509_get_extension_flags(cert) & EXFLAG_SAN_CRITICAL) == 0)
		return refuse(ERR_REJECTED, "ek-san", "RFC 5280 4.1.2.6",
			"the certificate has no subject, and its subject alternative name is not "
			"critical: whoever does not read that takes it for anybody's");
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_DIRNAME)
			TRY(read_attributes(name->d.directoryName, out));
	}
	if (!is_vendor_id(out->manufacturer))
		return refuse(ERR_REJECTED, "ek-san", SAN,
			"the subject alternative name does not say which manufacturer made the "
			"TPM: wanted \"id:\" and eight hexadecimal digits, found \"%s\"",
			out->manufacturer);
	if (out->model[0] == '\0' || out->version[0] == '\0')
		return refuse(ERR_REJECTED, "ek-san", SAN,
			"the subject alternative name lacks the TPM's model or version");
	return OK;
}

enum err ek_certificate_form(X509 *cert, struct ek_attributes *out)
{
	TRY(judge_usage(cert));
	TRY(judge_critical(cert));
	return ek_certificate_names(cert, out);
}

enum err ek_certificate_dates(const X509 *cert, int64_t now, bool takes_expired, bool *is_expired)
{
	int64_t from, until;

	*is_expired = false;
	if (cert_validity(cert, &from, &until) != OK)
		return refuse(ERR_MALFORMED, "ek-certificate", "RFC 5280 4.1.2.5",
			"the certificate's validity period is none: %s", why()->sentence);
	if (now < from)
		return refuse(ERR_REJECTED, "ek-not-yet-valid", "RFC 5280 4.1.2.5",
			"the EK certificate is not valid yet; see to the clocks of its maker and "
			"of "
			"this service");
	*is_expired = now >= until; /* as OpenSSL has it of those above */
	if (*is_expired && !takes_expired)
		return refuse(ERR_REJECTED, "ek-expired", "RFC 5280 4.1.2.5",
			"the EK certificate has expired; the operator may take it all the same "
			"(policy: expired_ek)");
	return OK;
}
