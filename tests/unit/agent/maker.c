#include "maker.h"
#include "ca/base/cert.h"

#include "ca/base/file.h"
#include "enroll/agent/tpm.h"
#include "enroll/tpm/tag.h"

#include <dirent.h>
#include <openssl/core_names.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

EVP_PKEY *made_key(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	assert_non_null(key);
	return key;
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(extension);
	assert_int_equal(1, X509_add_ext(certificate, extension, -1));
	X509_EXTENSION_free(extension);
}

/* A permanentIdentifier in an otherName; its SEQUENCE is described in a section of its own. */
static void add_identifier(X509 *certificate, const char *identifier)
{
	CONF *conf = NCONF_new(NULL);
	BIO *lines = BIO_new(BIO_s_mem());
	X509_EXTENSION *extension;
	X509V3_CTX ctx;
	long line = 0;

	BIO_printf(lines, "[identifier]\nvalue=UTF8:%s\n", identifier);
	assert_int_equal(1, NCONF_load_bio(conf, lines, &line));
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_nconf(&ctx, conf);
	extension = X509V3_EXT_nconf_nid(conf, &ctx, NID_subject_alt_name,
		"otherName:1.3.6.1.5.5.7.8.3;SEQUENCE:identifier");
	assert_non_null(extension);
	assert_int_equal(1, X509_add_ext(certificate, extension, -1));
	X509_EXTENSION_free(extension);
	BIO_free(lines);
	NCONF_free(conf);
}

static void add_extensions(X509 *certificate, X509 *issuer, const struct recipe *recipe)
{
	char names[300];

	add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
	add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always");
	if (recipe->is_ca) {
		add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:TRUE");
		add_extension(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
	} else {
		add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature");
	}
	if (recipe->usage != NULL)
		add_extension(certificate, issuer, NID_ext_key_usage, recipe->usage);
	if (recipe->identifier != NULL)
		add_identifier(certificate, recipe->identifier);
	if (recipe->dns == NULL)
		return;
	snprintf(names, sizeof(names), "DNS:%s", recipe->dns);
	add_extension(certificate, issuer, NID_subject_alt_name, names);
}

X509 *made_certificate(const struct recipe *recipe)
{
	X509 *certificate = X509_new();
	X509 *issuer = recipe->issuer == NULL ? certificate : recipe->issuer;

	assert_non_null(certificate);
	X509_set_version(certificate, X509_VERSION_3);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), 0x1234567890abcdef);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
		(const uint8_t *)recipe->name, -1, -1, 0);
	X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
	X509_gmtime_adj(X509_getm_notBefore(certificate), recipe->from);
	X509_gmtime_adj(X509_getm_notAfter(certificate), recipe->until);
	X509_set_pubkey(certificate, recipe->key);
	add_extensions(certificate, issuer, recipe);
	assert_true(
		X509_sign(certificate, recipe->issuer == NULL ? recipe->key : recipe->issuer_key,
			EVP_sha256()) > 0);
	return certificate;
}

void certifier_make(struct certifier *out)
{
	out->root_key = made_key();
	out->key = made_key();
	out->root = made_certificate(&(struct recipe){
		.name = "Root", .is_ca = true, .key = out->root_key, .from = -60, .until = 86400});
	out->intermediate = made_certificate(&(struct recipe){.name = "Intermediate",
		.is_ca = true,
		.key = out->key,
		.issuer = out->root,
		.issuer_key = out->root_key,
		.from = -60,
		.until = 86400});
}

void certifier_free(struct certifier *certifier)
{
	EVP_PKEY_free(certifier->root_key);
	EVP_PKEY_free(certifier->key);
	X509_free(certifier->root);
	X509_free(certifier->intermediate);
}

X509 *certifier_issue(
	const struct certifier *certifier, EVP_PKEY *key, const char *dns, long from, long until)
{
	return made_certificate(&(struct recipe){.name = "AK",
		.dns = dns,
		.usage = AK_USAGE,
		.key = key,
		.issuer = certifier->intermediate,
		.issuer_key = certifier->key,
		.from = from,
		.until = until});
}

static void set_point(EVP_PKEY *key, TPMS_ECC_POINT *point)
{
	BIGNUM *x = NULL, *y = NULL;

	assert_int_equal(1, EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x));
	assert_int_equal(1, EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y));
	point->x.size = point->y.size = 32;
	BN_bn2binpad(x, point->x.buffer, 32);
	BN_bn2binpad(y, point->y.buffer, 32);
	BN_free(x);
	BN_free(y);
}

static void fill_public(EVP_PKEY *key, const char *service, TPM2B_PUBLIC *out)
{
	TPMT_PUBLIC *area = &out->publicArea;
	uint8_t tag[64];
	size_t n = 0;

	area->type = TPM2_ALG_ECC;
	area->nameAlg = TPM2_ALG_SHA256;
	area->objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
				 TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
				 TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT |
				 TPMA_OBJECT_NODA;
	assert_int_equal(OK, service_tag(TPM2_ALG_SHA256, service, tag, &n));
	area->authPolicy.size = (uint16_t)n;
	memcpy(area->authPolicy.buffer, tag, n);
	area->parameters.eccDetail.symmetric.algorithm = TPM2_ALG_NULL;
	area->parameters.eccDetail.scheme.scheme = TPM2_ALG_ECDSA;
	area->parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
	area->parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
	area->parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
	set_point(key, &area->unique.ecc);
}

struct device_ak *made_ak(const char *service)
{
	static const uint8_t private[] = {0, 2, 0xab, 0xcd};
	struct device_ak *ak = calloc(1, sizeof(*ak));
	TPM2B_PUBLIC public = {0};
	EVP_PKEY *key = made_key();

	assert_non_null(ak);
	ak->public = BUF(2048);
	ak->private = BUF(2048);
	fill_public(key, service, &public);
	assert_int_equal(OK, tpm_public_write(&public, &ak->public));
	buf_add(&ak->private, VIEW(private));
	ak->parent = TPM2_RH_OWNER;
	assert_int_equal(OK, ak_judge(buf_view(&ak->public), service, AK_TAGGED, &ak->judged));
	EVP_PKEY_free(key);
	return ak;
}

char *made_directory(void)
{
	char *dir = strdup("/tmp/endorse-unit-XXXXXX");

	assert_non_null(dir);
	assert_non_null(mkdtemp(dir));
	return dir;
}

void directory_remove(const char *dir)
{
	DIR *entries = opendir(dir);
	const struct dirent *entry;

	while (entries != NULL && (entry = readdir(entries)) != NULL)
		unlinkat(dirfd(entries), entry->d_name, 0);
	if (entries != NULL)
		closedir(entries);
	rmdir(dir);
}

static void put(const char *dir, const char *name, struct view bytes)
{
	char *path = path_join(dir, name);

	assert_non_null(path);
	assert_int_equal(OK, file_replace(path, 0600, bytes));
	free(path);
}

void file_put(const char *dir, const char *name, const char *text)
{
	put(dir, name, view_str(text));
}

void pem_put(const char *dir, const char *name, X509 *certificate)
{
	AUTO(buf_free) struct buf pem = BUF(64 * 1024);

	assert_int_equal(OK, cert_pem_add(certificate, &pem));
	put(dir, name, buf_view(&pem));
}
