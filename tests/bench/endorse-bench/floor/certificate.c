#include "tests/bench/endorse-bench/floor/notary.h"

#include <openssl/ec.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

/*
 * What all certificates of a CA have in common is made once; what a device's TPM says of itself is the
 * same for all of its model. So of each certificate serial, times, key, key identifier, the digits of the
 * device's id and the signature are new.
 */
enum {
	COMMON = 6, /* BC, KU, EKU, AIA, CRLDP, AKI */
	POINT = 65,
	ID = 32, /* digits */
	LIFE = 90 * 86400,
};

struct certificate {
	EVP_PKEY *key, *ak;
	X509_NAME *issuer;
	X509_EXTENSION *common[COMMON];
	ASN1_OBJECT *ec, *p256;
	uint8_t point[POINT];
};

static void certificate_free(void *state)
{
	struct certificate *certificate = state;

	if (certificate != NULL) {
		EVP_PKEY_free(certificate->key);
		EVP_PKEY_free(certificate->ak);
		X509_NAME_free(certificate->issuer);
		for (size_t i = 0; i < COMMON; i++)
			X509_EXTENSION_free(certificate->common[i]);
	}
	free(certificate);
}

static void state_free(struct certificate **state)
{
	certificate_free(*state);
	*state = NULL;
}

static const struct {
	int nid;
	const char *value;
} common[COMMON] = {
	{NID_basic_constraints, "critical,CA:FALSE"},
	{NID_key_usage, "critical,digitalSignature"},
	{NID_ext_key_usage, "2.23.133.8.3"},
	{NID_info_access, "caIssuers;URI:http://endorse.example.org/ca/0123456789abcdef.cer,"
			  "OCSP;URI:http://endorse.example.org/ocsp"},
	{NID_crl_distribution_points, "URI:http://endorse.example.org/crl/0123456789abcdef-7.crl"},
	{NID_authority_key_identifier, "keyid:always"},
};

static enum err make_common(struct certificate *certificate, X509 *ca)
{
	X509V3_CTX ctx = {0};

	X509V3_set_ctx(&ctx, ca, NULL, NULL, NULL, 0);
	for (size_t i = 0; i < COMMON; i++) {
		certificate->common[i] =
			X509V3_EXT_nconf_nid(NULL, &ctx, common[i].nid, common[i].value);
		if (certificate->common[i] == NULL)
			return part_openssl(common[i].value);
	}
	return OK;
}

static enum err certificate_make(const struct floor_plan *plan, void **state)
{
	AUTO(state_free) struct certificate *certificate = calloc(1, sizeof(*certificate));
	AUTO(x509_free) X509 *ca = NULL;
	size_t n;

	(void)plan;
	if (certificate == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "certificate");
	certificate->key = EVP_EC_gen("P-256");
	certificate->ak = EVP_EC_gen("P-256");
	certificate->ec = OBJ_nid2obj(NID_X9_62_id_ecPublicKey);
	certificate->p256 = OBJ_nid2obj(NID_X9_62_prime256v1);
	if (certificate->key == NULL || certificate->ak == NULL ||
		EVP_PKEY_get_octet_string_param(certificate->ak, "pub", certificate->point,
			sizeof(certificate->point), &n) != 1)
		return part_openssl("P-256");
	TRY(notary_authority("Floor issuing CA", certificate->key, NULL, NULL, &ca));
	certificate->issuer = X509_NAME_dup(X509_get_subject_name(ca));
	TRY(make_common(certificate, ca));
	*state = MOVE(certificate);
	return OK;
}

static bool add_bytes(X509 *x509, int nid, int is_critical, const uint8_t *bytes, int n)
{
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension = NULL;
	bool is_good = octets != NULL && ASN1_OCTET_STRING_set(octets, bytes, n) == 1 &&
		       (extension = X509_EXTENSION_create_by_NID(NULL, nid, is_critical, octets)) !=
			       NULL &&
		       X509_add_ext(x509, extension, -1) == 1;

	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(octets);
	return is_good;
}

/* The directoryName of a model's TPMs and a permanentIdentifier, whose digits come last. */
static bool add_names(X509 *x509)
{
	static const uint8_t names[] =
		"\x30\x78\xa4\x44\x30\x42"
		"\x31\x16\x30\x14\x06\x05\x67\x81\x05\x02\x01\x0c\x0bid:00001014"
		"\x31\x10\x30\x0e\x06\x05\x67\x81\x05\x02\x02\x0c\x05swtpm"
		"\x31\x16\x30\x14\x06\x05\x67\x81\x05\x02\x03\x0c\x0bid:20191023"
		"\xa0\x30\x06\x08\x2b\x06\x01\x05\x05\x07\x08\x03\xa0\x24\x30\x22\x0c\x20"
		"0123456789abcdef0123456789abcdef";
	static const char digits[] = "0123456789abcdef";
	uint8_t san[sizeof(names) - 1], id[ID / 2];

	if (RAND_bytes(id, sizeof(id)) != 1)
		return false;
	memcpy(san, names, sizeof(san));
	for (size_t i = 0; i < ID; i++)
		san[sizeof(san) - ID + i] =
			(uint8_t)digits[i % 2 == 0 ? id[i / 2] >> 4 : id[i / 2] & 15];
	return add_bytes(x509, NID_subject_alt_name, 1, san, sizeof(san));
}

static bool add_key_identifier(X509 *x509, const uint8_t point[static POINT])
{
	uint8_t id[2 + SHA_DIGEST_LENGTH] = {0x04, SHA_DIGEST_LENGTH};

	return SHA1(point, POINT, id + 2) != NULL &&
	       add_bytes(x509, NID_subject_key_identifier, 0, id, sizeof(id));
}

static bool set_key(const struct certificate *certificate, X509 *x509)
{
	uint8_t *point = OPENSSL_memdup(certificate->point, POINT);

	if (point != NULL && X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(x509), certificate->ec,
				     V_ASN1_OBJECT, certificate->p256, point, POINT) == 1)
		return true;
	OPENSSL_free(point);
	return false;
}

static bool fill(const struct certificate *certificate, X509 *x509)
{
	uint8_t serial[16];
	time_t now = time(NULL);

	if (RAND_bytes(serial, sizeof(serial)) != 1)
		return false;
	serial[0] = (serial[0] & 0x7f) | 0x40;
	if (X509_set_version(x509, X509_VERSION_3) != 1 ||
		ASN1_STRING_set(X509_get_serialNumber(x509), serial, sizeof(serial)) != 1 ||
		X509_set_issuer_name(x509, certificate->issuer) != 1 ||
		ASN1_TIME_set(X509_getm_notBefore(x509), now - 300) == NULL ||
		ASN1_TIME_set(X509_getm_notAfter(x509), now + LIFE) == NULL ||
		!set_key(certificate, x509))
		return false;
	for (size_t i = 0; i < COMMON; i++)
		if (X509_add_ext(x509, certificate->common[i], -1) != 1)
			return false;
	return add_names(x509) && add_key_identifier(x509, certificate->point);
}

static bool issue(const struct certificate *certificate)
{
	AUTO(x509_free) X509 *x509 = X509_new();
	AUTO(ossl_free) uint8_t *der = NULL;

	return x509 != NULL && fill(certificate, x509) &&
	       X509_sign(x509, certificate->key, EVP_sha256()) > 0 && i2d_X509(x509, &der) > 0;
}

static enum err certificate_run(void *state, unsigned *n, uint64_t *ns)
{
	uint64_t start = part_clock();

	for (unsigned i = 0; i < *n; i++)
		if (!issue(state))
			return part_openssl("a certificate");
	*ns = part_clock() - start;
	return OK;
}

const struct part part_certificate = {300, certificate_make, certificate_run, certificate_free};
