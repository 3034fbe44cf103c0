#include "ca/ocsp_request.h"

#include "ca/base/ossl.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <string.h>

static void asked_free(OCSP_REQUEST **request)
{
	OCSP_REQUEST_free(*request);
	*request = NULL;
}

static void octets_free(ASN1_OCTET_STRING **octets)
{
	ASN1_OCTET_STRING_free(*octets);
	*octets = NULL;
}

static void algorithm_free(X509_ALGOR **algorithm)
{
	X509_ALGOR_free(*algorithm);
	*algorithm = NULL;
}

static enum err malformed(const char *clause, const char *what)
{
	ERR_clear_error();
	return fail(ERR_MALFORMED, "ocsp-malformed", "RFC %s: %s", clause, what);
}

/* Nothing behind it, and no second way of writing the same. */
static enum err read_der(struct view der, OCSP_REQUEST **out)
{
	AUTO(asked_free) OCSP_REQUEST *request = NULL;
	AUTO(ossl_free) uint8_t *same = NULL;
	const uint8_t *p = der.p;
	int n;

	if (der.n == 0 || der.n > OCSP_REQUEST_MAX ||
		(request = d2i_OCSP_REQUEST(NULL, &p, (long)der.n)) == NULL)
		return malformed("6960 4.1.1", "this is no OCSPRequest");
	n = i2d_OCSP_REQUEST(request, &same);
	if (n <= 0 || !view_equal((struct view){same, (size_t)n}, der))
		return malformed("6960 4.1.1", "the OCSPRequest is not DER, or bytes follow it");
	*out = MOVE(request);
	return OK;
}

/* OpenSSL reads a version, and tells nobody: it stands first in the TBSRequest, as [0]. */
static enum err judge_version(struct view der)
{
	static const uint8_t v1[] = {0xa0, 3, 2, 1, 0};
	const uint8_t *p = der.p, *end = der.p + der.n;
	int tag, class;
	long length;

	/* Into the OCSPRequest, and into its TBSRequest. */
	for (int i = 0; i < 2; i++)
		if ((ASN1_get_object(&p, &length, &tag, &class, end - p) & 0x80) != 0)
			return malformed("6960 4.1.1", "there is no TBSRequest");
	if (p < end && *p == v1[0] &&
		((size_t)(end - p) < sizeof(v1) || memcmp(p, v1, sizeof(v1)) != 0))
		return malformed("6960 4.1.1", "its version is not v1");
	return OK;
}

static enum ocsp_hash hash_of(const ASN1_OBJECT *algorithm, int *size)
{
	switch (OBJ_obj2nid(algorithm)) {
	case NID_sha1:
		*size = 20;
		return OCSP_BY_SHA1;
	case NID_sha256:
		*size = SHA256_SIZE;
		return OCSP_BY_SHA256;
	default:
		return OCSP_BY_OTHER;
	}
}

/* A CertID begins with its AlgorithmIdentifier. Whatever stood in the parameters would be repeated in
 * the answer, and would be one more answer about the same certificate, as many as somebody likes. */
static enum err judge_parameters(const struct ocsp_id *id)
{
	const uint8_t *p = id->der;
	AUTO(algorithm_free) X509_ALGOR *algorithm = NULL;
	int tag, class, type = V_ASN1_OTHER;
	long length;

	if ((ASN1_get_object(&p, &length, &tag, &class, (long)id->der_n) & 0x80) == 0 &&
		(algorithm = d2i_X509_ALGOR(NULL, &p, length)) != NULL)
		X509_ALGOR_get0(NULL, &type, NULL, algorithm);
	return type == V_ASN1_UNDEF || type == V_ASN1_NULL
		       ? OK
		       : malformed("5754 2", "the digest of a CertID has parameters");
}

static enum err read_issuer(OCSP_CERTID *id, struct ocsp_id *out)
{
	ASN1_OCTET_STRING *name, *key;
	ASN1_OBJECT *algorithm;
	int size = 0;

	if (OCSP_id_get0_info(&name, &algorithm, &key, NULL, id) != 1)
		return malformed("6960 4.1.1", "a CertID cannot be read");
	out->hash = hash_of(algorithm, &size);
	if (out->hash == OCSP_BY_OTHER)
		return OK;
	TRY(judge_parameters(out));
	if (ASN1_STRING_length(name) != size || ASN1_STRING_length(key) != size)
		return malformed("6960 4.1.1", "a hash of a CertID is not as long as its digest");
	memcpy(out->name_hash, ASN1_STRING_get0_data(name), (size_t)size);
	memcpy(out->key_hash, ASN1_STRING_get0_data(key), (size_t)size);
	return OK;
}

static enum err read_serial(OCSP_CERTID *id, struct ocsp_id *out)
{
	ASN1_INTEGER *serial;
	int n;

	if (OCSP_id_get0_info(NULL, NULL, NULL, &serial, id) != 1 ||
		ASN1_STRING_type(serial) != V_ASN1_INTEGER ||
		(n = ASN1_STRING_length(serial)) < 1 || n > OCSP_SERIAL_MAX)
		return malformed(
			"5280 4.1.2.2", "a serial number is negative, or has more than 20 bytes");
	memcpy(out->serial, ASN1_STRING_get0_data(serial), (size_t)n);
	out->serial_n = (size_t)n;
	return OK;
}

static enum err read_id(OCSP_CERTID *id, struct ocsp_id *out)
{
	uint8_t *p = out->der;
	int n = i2d_OCSP_CERTID(id, NULL);

	if (n <= 0 || n > OCSP_ID_MAX || i2d_OCSP_CERTID(id, &p) != n)
		return malformed("6960 4.1.1", "a CertID has too many bytes");
	out->der_n = (size_t)n;
	TRY(read_issuer(id, out));
	return read_serial(id, out);
}

/* 4.4: what is not known may be passed over unless it is critical. */
static enum err judge_extension(X509_EXTENSION *extension, bool may_be_nonce)
{
	bool is_nonce = OBJ_obj2nid(X509_EXTENSION_get_object(extension)) == NID_id_pkix_OCSP_Nonce;

	if (X509_EXTENSION_get_critical(extension) && !(may_be_nonce && is_nonce))
		return malformed("6960 4.4", "a critical extension that is not known here");
	return OK;
}

static enum err read_ids(OCSP_REQUEST *request, struct ocsp_request *out)
{
	int n = OCSP_request_onereq_count(request);

	if (n < 1 || n > OCSP_IDS_MAX)
		return malformed("6960 4.1.1", "it asks for no certificate, or for more than 16");
	for (int i = 0; i < n; i++) {
		OCSP_ONEREQ *one = OCSP_request_onereq_get0(request, i);

		for (int k = 0; k < OCSP_ONEREQ_get_ext_count(one); k++)
			TRY(judge_extension(OCSP_ONEREQ_get_ext(one, k), false));
		TRY(read_id(OCSP_onereq_get0_id(one), &out->ids[out->n++]));
	}
	return OK;
}

static enum err read_nonce(X509_EXTENSION *extension, struct ocsp_request *out)
{
	const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
	const uint8_t *p = ASN1_STRING_get0_data(value), *end = p + ASN1_STRING_length(value);
	AUTO(octets_free)
	ASN1_OCTET_STRING *nonce = d2i_ASN1_OCTET_STRING(NULL, &p, ASN1_STRING_length(value));
	int n;

	if (out->nonce_n > 0)
		return malformed("5280 4.2", "a second nonce");
	if (nonce == NULL || p != end || (n = ASN1_STRING_length(nonce)) < 1 || n > OCSP_NONCE_MAX)
		return malformed("9654 2.1", "a nonce is an OCTET STRING of 1 to 128 bytes");
	memcpy(out->nonce, ASN1_STRING_get0_data(nonce), (size_t)n);
	out->nonce_n = (size_t)n;
	return OK;
}

static enum err read_extensions(OCSP_REQUEST *request, struct ocsp_request *out)
{
	for (int i = 0; i < OCSP_REQUEST_get_ext_count(request); i++) {
		X509_EXTENSION *extension = OCSP_REQUEST_get_ext(request, i);

		TRY(judge_extension(extension, true));
		if (OBJ_obj2nid(X509_EXTENSION_get_object(extension)) == NID_id_pkix_OCSP_Nonce)
			TRY(read_nonce(extension, out));
	}
	return OK;
}

enum err ocsp_request_parse(struct view der, struct ocsp_request *out)
{
	AUTO(asked_free) OCSP_REQUEST *request = NULL;

	*out = (struct ocsp_request){.n = 0};
	TRY(read_der(der, &request));
	TRY(judge_version(der));
	TRY(read_ids(request, out));
	return read_extensions(request, out);
}
