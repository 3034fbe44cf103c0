#include "ca/skae.h"

#include "ca/base/ossl.h"
#include "ca/extension.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#define VERSION_MAJOR 2
#define VERSION_MINOR 0

struct version {
	ASN1_INTEGER *major, *minor;
};
struct certify_info {
	ASN1_BIT_STRING *attest, *signature;
	ASN1_OCTET_STRING *public;
};
struct issuer_serial {
	X509_NAME *issuer;
	ASN1_INTEGER *serial;
};
struct access_info {
	AUTHORITY_INFO_ACCESS *access;
	struct issuer_serial *issuer; /* of the AK's certificate; read, and of no use to anybody */
};
struct attestation {
	struct certify_info *certify;
	struct access_info *access;
};
struct evidence {
	struct version *version;
	struct attestation *attestation;
};

/* clang-format off */
ASN1_SEQUENCE(skae_version) = {
	ASN1_SIMPLE(struct version, major, ASN1_INTEGER),
	ASN1_SIMPLE(struct version, minor, ASN1_INTEGER),
} static_ASN1_SEQUENCE_END_name(struct version, skae_version);

ASN1_SEQUENCE(skae_certify_info) = {
	ASN1_SIMPLE(struct certify_info, attest, ASN1_BIT_STRING),
	ASN1_SIMPLE(struct certify_info, signature, ASN1_BIT_STRING),
	ASN1_IMP(struct certify_info, public, ASN1_OCTET_STRING, 0),
} static_ASN1_SEQUENCE_END_name(struct certify_info, skae_certify_info);

ASN1_SEQUENCE(skae_issuer_serial) = {
	ASN1_SIMPLE(struct issuer_serial, issuer, X509_NAME),
	ASN1_SIMPLE(struct issuer_serial, serial, ASN1_INTEGER),
} static_ASN1_SEQUENCE_END_name(struct issuer_serial, skae_issuer_serial);

ASN1_SEQUENCE(skae_access_info) = {
	ASN1_SIMPLE(struct access_info, access, AUTHORITY_INFO_ACCESS),
	ASN1_OPT(struct access_info, issuer, skae_issuer_serial),
} static_ASN1_SEQUENCE_END_name(struct access_info, skae_access_info);

ASN1_SEQUENCE(skae_attestation) = {
	ASN1_SIMPLE(struct attestation, certify, skae_certify_info),
	ASN1_SIMPLE(struct attestation, access, skae_access_info),
} static_ASN1_SEQUENCE_END_name(struct attestation, skae_attestation);

ASN1_SEQUENCE(skae_evidence) = {
	ASN1_SIMPLE(struct evidence, version, skae_version),
	ASN1_EXP(struct evidence, attestation, skae_attestation, 0),
} static_ASN1_SEQUENCE_END_name(struct evidence, skae_evidence);
/* clang-format on */

static void evidence_free(struct evidence **evidence)
{
	ASN1_item_free((ASN1_VALUE *)*evidence, ASN1_ITEM_rptr(skae_evidence));
	*evidence = NULL;
}

void skae_init(struct skae *skae)
{
	*skae = (struct skae){.attest = BUF(2048), .signature = BUF(2048), .public = BUF(2048)};
}

void skae_free(struct skae *skae)
{
	buf_free(&skae->attest);
	buf_free(&skae->signature);
	buf_free(&skae->public);
}

/* All bits count, the zeros at the end too. */
static bool set_bits(ASN1_BIT_STRING *out, struct view bytes)
{
	out->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07);
	out->flags |= ASN1_STRING_FLAG_BITS_LEFT;
	return ASN1_BIT_STRING_set(out, (unsigned char *)bytes.p, (int)bytes.n) == 1;
}

static bool fill(struct evidence *to, const struct grant_evidence *from)
{
	struct certify_info *certify = to->attestation->certify;

	if (from->ak_location != NULL && from->ak_location[0] != '\0' &&
		!access_add(to->attestation->access->access, NID_ad_ca_issuers, from->ak_location))
		return false;
	return ASN1_INTEGER_set(to->version->major, VERSION_MAJOR) == 1 &&
	       ASN1_INTEGER_set(to->version->minor, VERSION_MINOR) == 1 &&
	       set_bits(certify->attest, from->attest) &&
	       set_bits(certify->signature, from->signature) &&
	       ASN1_OCTET_STRING_set(certify->public, from->public.p, (int)from->public.n) == 1;
}

enum err skae_encode(const struct grant_evidence *evidence, struct buf *der)
{
	AUTO(evidence_free)
	struct evidence *made = (struct evidence *)ASN1_item_new(ASN1_ITEM_rptr(skae_evidence));
	AUTO(ossl_free) uint8_t *bytes = NULL;
	int n = -1;

	if (made != NULL && fill(made, evidence))
		n = ASN1_item_i2d((ASN1_VALUE *)made, &bytes, ASN1_ITEM_rptr(skae_evidence));
	if (n <= 0)
		return fail(ERR_INTERNAL, "crypto", "cannot encode an SKAE");
	buf_add(der, (struct view){bytes, (size_t)n});
	return buf_ok(der);
}

static enum err bad(const char *what)
{
	return fail(
		ERR_MALFORMED, "skae", "not a SubjectKeyAttestationEvidence of TPM 2.0: %s", what);
}

static bool is_version(const struct version *version)
{
	return ASN1_INTEGER_get(version->major) == VERSION_MAJOR &&
	       ASN1_INTEGER_get(version->minor) == VERSION_MINOR;
}

/* The first place where the AK's certificate is; "" without one. */
static enum err take_location(const AUTHORITY_INFO_ACCESS *list, char *out, size_t room)
{
	out[0] = '\0';
	for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(list); i++) {
		const ACCESS_DESCRIPTION *access = sk_ACCESS_DESCRIPTION_value(list, i);
		const ASN1_IA5STRING *uri = access->location->d.ia5;

		if (OBJ_obj2nid(access->method) != NID_ad_ca_issuers ||
			access->location->type != GEN_URI)
			continue;
		if (uri->length <= 0 || (size_t)uri->length >= room)
			return bad("a location that is empty or too long");
		for (int at = 0; at < uri->length; at++)
			if (uri->data[at] <= 0x20 || uri->data[at] >= 0x7f)
				return bad("a location that is no URI");
		memcpy(out, uri->data, (size_t)uri->length);
		out[uri->length] = '\0';
		return OK;
	}
	return OK;
}

static enum err take_bits(const ASN1_BIT_STRING *from, struct buf *out)
{
	if ((from->flags & 0x07) != 0)
		return bad("a BIT STRING that is no row of bytes");
	buf_add(out, (struct view){from->data, (size_t)from->length});
	return buf_ok(out) == OK ? OK : bad("a part that is too long");
}

static enum err take(const struct evidence *read, struct skae *out)
{
	const struct certify_info *certify = read->attestation->certify;

	if (!is_version(read->version))
		return bad("another version than 2.0");
	TRY(take_bits(certify->attest, &out->attest));
	TRY(take_bits(certify->signature, &out->signature));
	buf_add(&out->public,
		(struct view){certify->public->data, (size_t)certify->public->length});
	if (buf_ok(&out->public) != OK)
		return bad("a part that is too long");
	return take_location(
		read->attestation->access->access, out->ak_location, sizeof(out->ak_location));
}

/* d2i takes BER too: what is not its own encoding is not DER (X.690, 10). */
static bool is_der(const struct evidence *read, struct view der)
{
	AUTO(ossl_free) uint8_t *again = NULL;
	int n = ASN1_item_i2d((const ASN1_VALUE *)read, &again, ASN1_ITEM_rptr(skae_evidence));

	return n > 0 && view_equal(der, (struct view){again, (size_t)n});
}

enum err skae_parse(struct view der, struct skae *out)
{
	AUTO(evidence_free) struct evidence *read = NULL;
	const uint8_t *p = der.p;

	if (der.n > SKAE_MAX)
		return bad("too long");
	read = (struct evidence *)ASN1_item_d2i(
		NULL, &p, (long)der.n, ASN1_ITEM_rptr(skae_evidence));
	ERR_clear_error();
	if (read == NULL)
		return bad("its ASN.1 is something else");
	if (p != der.p + der.n || !is_der(read, der))
		return bad("its encoding is not DER, or bytes follow it");
	return take(read, out);
}

enum err skae_add(X509 *cert, const struct grant_evidence *evidence)
{
	AUTO(buf_free) struct buf der = BUF(SKAE_MAX);

	TRY(skae_encode(evidence, &der));
	return extension_any(cert, SKAE_OID, false, buf_view(&der));
}

static bool is_skae(X509_EXTENSION *extension)
{
	static const char *const oids[] = {SKAE_OID, "2.23.133.6.1", "2.23.133.6.1.0"};
	char oid[64];

	if (OBJ_obj2txt(oid, sizeof(oid), X509_EXTENSION_get_object(extension), 1) <= 0)
		return false;
	for (size_t i = 0; i < COUNT(oids); i++)
		if (strcmp(oids[i], oid) == 0)
			return true;
	return false;
}

enum err skae_of(const X509 *cert, struct skae *out)
{
	const ASN1_OCTET_STRING *value = NULL;

	for (int i = 0; i < X509_get_ext_count(cert); i++) {
		X509_EXTENSION *extension = X509_get_ext(cert, i);

		if (!is_skae(extension))
			continue;
		if (value != NULL)
			return bad("there are two in the certificate");
		value = X509_EXTENSION_get_data(extension);
	}
	if (value == NULL)
		return fail(ERR_NOT_FOUND, "skae-missing",
			"the certificate carries no SKAE (" SKAE_OID
			"): nothing in it says where its key is");
	return skae_parse((struct view){value->data, (size_t)value->length}, out);
}
