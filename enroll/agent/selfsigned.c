#include "enroll/agent/selfsigned.h"

#include "ca/base/ossl.h"
#include "ca/extension.h"
#include "ca/usage.h"
#include "enroll/tpm/signature.h"

#include <string.h>

#define COMMON_NAME_MAX 64 /* ub-common-name, RFC 5280 A.1 */

static enum err failed(const char *what)
{
	return fail(ERR_INTERNAL, "crypto", "cannot make a certificate: %s", what);
}

/* One subject and issuer, which must not be empty: of a name that is too long its first label. */
static bool set_names(X509 *cert, const char *name)
{
	X509_NAME *subject = X509_get_subject_name(cert);
	size_t n = strlen(name);

	if (n > COMMON_NAME_MAX)
		n = strcspn(name, ".");
	return X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
		       (const unsigned char *)name, (int)n, -1, 0) == 1 &&
	       X509_set_issuer_name(cert, subject) == 1;
}

static bool add_dns_name(X509 *cert, const char *name)
{
	AUTO(general_names_free) GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	GENERAL_NAME *one = GENERAL_NAME_new();
	ASN1_IA5STRING *text = ASN1_IA5STRING_new();

	if (names == NULL || one == NULL || text == NULL || sk_GENERAL_NAME_push(names, one) <= 0) {
		GENERAL_NAME_free(one);
		ASN1_IA5STRING_free(text);
		return false;
	}
	GENERAL_NAME_set0_value(one, GEN_DNS, text);
	return ASN1_STRING_set(text, name, -1) == 1 &&
	       X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0) == 1;
}

static enum err add_extensions(X509 *cert, const char *name)
{
	static char *const purposes[] = {"1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"};
	const int signs = usage_bit("digitalSignature");

	TRY(extension_basic_constraints(cert, false, 0));
	TRY(extension_key_usage(cert, &signs, 1));
	TRY(extension_extended_key_usage(cert, purposes, COUNT(purposes), false));
	TRY(extension_subject_key_identifier(cert));
	return add_dns_name(cert, name) ? OK : failed("subjectAltName");
}

enum err selfsigned_begin(const struct tpmkey *key, const struct selfsigned_wish *wish, X509 **out)
{
	AUTO(x509_free) X509 *cert = X509_new();
	uint8_t serial[ISSUED_SERIAL_SIZE];

	if (cert == NULL || X509_set_version(cert, X509_VERSION_3) != 1 ||
		X509_set_pubkey(cert, key->pkey) != 1 || !set_names(cert, wish->name) ||
		ASN1_TIME_set(X509_getm_notBefore(cert), wish->now - SELFSIGNED_BACKDATE) == NULL ||
		ASN1_TIME_set(X509_getm_notAfter(cert), wish->now + wish->lifetime) == NULL)
		return failed("names, dates or key");
	TRY(serial_make(cert, wish->now, serial));
	TRY(add_extensions(cert, wish->name));
	*out = MOVE(cert);
	return OK;
}

/* How each kind of key signs a certificate. */
struct manner {
	int nid;
	TPMI_ALG_SIG_SCHEME scheme;
	TPMI_ALG_HASH hash;
	const EVP_MD *md;
};

static struct manner manner_of(EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "RSA"))
		return (struct manner){NID_sha256WithRSAEncryption, TPM2_ALG_RSASSA,
			TPM2_ALG_SHA256, EVP_sha256()};
	if (EVP_PKEY_get_bits(key) > 256)
		return (struct manner){
			NID_ecdsa_with_SHA384, TPM2_ALG_ECDSA, TPM2_ALG_SHA384, EVP_sha384()};
	return (struct manner){
		NID_ecdsa_with_SHA256, TPM2_ALG_ECDSA, TPM2_ALG_SHA256, EVP_sha256()};
}

/* OpenSSL has a setter for the algorithm and signature of requests and CRLs, and none for certificates. */
static bool set_algorithm(X509 *cert, int nid)
{
	const int parameter = nid == NID_sha256WithRSAEncryption ? V_ASN1_NULL : V_ASN1_UNDEF;
	const X509_ALGOR *outer = NULL;

	X509_get0_signature(NULL, &outer, cert);
	return X509_ALGOR_set0((X509_ALGOR *)outer, OBJ_nid2obj(nid), parameter, NULL) == 1 &&
	       X509_ALGOR_set0((X509_ALGOR *)X509_get0_tbs_sigalg(cert), OBJ_nid2obj(nid),
		       parameter, NULL) == 1;
}

static bool set_signature(X509 *cert, struct view bytes)
{
	const ASN1_BIT_STRING *signature = NULL;
	ASN1_BIT_STRING *own;

	X509_get0_signature(&signature, NULL, cert);
	own = (ASN1_BIT_STRING *)signature;
	own->flags &= ~(ASN1_STRING_FLAG_BITS_LEFT | 0x07);
	own->flags |= ASN1_STRING_FLAG_BITS_LEFT; /* zeros at the end count */
	return ASN1_BIT_STRING_set(own, (unsigned char *)bytes.p, (int)bytes.n) == 1;
}

/* What a certificate's signature is over: its first part in DER, encoded anew. */
static bool digest_of(X509 *cert, const EVP_MD *md, TPM2B_DIGEST *out)
{
	AUTO(ossl_free) uint8_t *der = NULL;
	int n = i2d_re_X509_tbs(cert, &der);
	unsigned size = 0;

	if (n <= 0 || EVP_Digest(der, (size_t)n, out->buffer, &size, md, NULL) != 1)
		return false;
	out->size = (UINT16)size;
	return true;
}

enum err selfsigned_sign(struct tpm *tpm, const struct loaded *key, X509 *certificate)
{
	const struct manner manner = manner_of(X509_get0_pubkey(certificate));
	const TPMT_SIG_SCHEME scheme = {
		.scheme = manner.scheme, .details.any.hashAlg = manner.hash};
	/* Only what a restricted key signs needs a ticket of the TPM. */
	const TPMT_TK_HASHCHECK none = {.tag = TPM2_ST_HASHCHECK, .hierarchy = TPM2_RH_NULL};
	AUTO(esys_free) TPMT_SIGNATURE *made = NULL;
	AUTO(buf_free) struct buf signature = BUF(sizeof(*made));
	AUTO(buf_free) struct buf bytes = BUF(1024);
	TPM2B_DIGEST digest = {0};

	if (!set_algorithm(certificate, manner.nid) || !digest_of(certificate, manner.md, &digest))
		return failed("what is to be signed");
	TRY(tpm_ok(TPM_PATIENT(Esys_Sign(tpm_esys(tpm), key->tr, ESYS_TR_PASSWORD, ESYS_TR_NONE,
			   ESYS_TR_NONE, &digest, &scheme, &none, &made)),
		"TPM2_Sign"));
	TRY(tpm_signature_write(made, &signature));
	TRY(signature_bytes(buf_view(&signature), &bytes));
	return set_signature(certificate, buf_view(&bytes)) ? OK : failed("the signature");
}
