#include "tests/bench/endorse-bench/manufacturer.h"

#include "ca/base/file.h"
#include "ca/base/ossl.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define VALID_S (20L * 365 * 86400)
#define CERTIFICATE_MAX (8 * 1024)

OSSL_FREE(conf_free, CONF, NCONF_free)
OSSL_FREE(extension_free, X509_EXTENSION, X509_EXTENSION_free)

/* OpenSSL drops what is left of the first dot in a name: hence the letters. */
static const char tpm_section[] = "[tpm]\n"
				  "a.2.23.133.2.1=id:00001014\n"
				  "b.2.23.133.2.2=bench\n"
				  "c.2.23.133.2.3=id:00020191\n";

static enum err no_crypto(const char *what)
{
	return fail(ERR_INTERNAL, "crypto", "cannot make the manufacturer's %s", what);
}

static EVP_PKEY *new_key(enum fleet_kind kind)
{
	if (kind == FLEET_RSA)
		return EVP_RSA_gen(2048);
	return EVP_EC_gen(kind == FLEET_P256 ? "P-256" : "P-384");
}

static const EVP_MD *hash_of(enum fleet_kind kind)
{
	return kind == FLEET_P384 ? EVP_sha384() : EVP_sha256();
}

static bool extend(X509 *cert, X509V3_CTX *ctx, int nid, const char *value)
{
	AUTO(extension_free)
	X509_EXTENSION *extension = X509V3_EXT_nconf_nid(ctx->db, ctx, nid, value);

	return extension != NULL && X509_add_ext(cert, extension, -1) == 1;
}

static bool set_serial(X509 *cert)
{
	AUTO(bn_free) BIGNUM *serial = BN_new();

	return serial != NULL && BN_rand(serial, 120, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
	       BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(cert)) != NULL;
}

static X509 *start(const X509 *issuer)
{
	AUTO(x509_free) X509 *cert = X509_new();

	if (cert == NULL || X509_set_version(cert, X509_VERSION_3) != 1 || !set_serial(cert) ||
		X509_gmtime_adj(X509_getm_notBefore(cert), -86400) == NULL ||
		X509_gmtime_adj(X509_getm_notAfter(cert), VALID_S) == NULL ||
		(issuer != NULL && X509_set_issuer_name(cert, X509_get_subject_name(issuer)) != 1))
		return NULL;
	return MOVE(cert);
}

static bool name_it(X509 *cert, enum fleet_kind kind, const char *role)
{
	X509_NAME *name = X509_get_subject_name(cert);
	char text[64];

	snprintf(text, sizeof(text), "Fleet %s %s", fleet_kinds[kind], role);
	return X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
		       (const unsigned char *)"endorse-bench", -1, -1, 0) == 1 &&
	       X509_NAME_add_entry_by_txt(
		       name, "CN", MBSTRING_ASC, (const unsigned char *)text, -1, -1, 0) == 1;
}

/* Issued by itself when there is no issuer. */
static X509 *authority(enum fleet_kind kind, EVP_PKEY *key, X509 *issuer, EVP_PKEY *signer)
{
	AUTO(x509_free) X509 *cert = start(issuer);
	X509V3_CTX ctx = {0};

	if (cert == NULL || X509_set_pubkey(cert, key) != 1 ||
		!name_it(cert, kind, issuer == NULL ? "root" : "intermediate") ||
		(issuer == NULL && X509_set_issuer_name(cert, X509_get_subject_name(cert)) != 1))
		return NULL;
	X509V3_set_ctx(&ctx, issuer == NULL ? cert : issuer, cert, NULL, NULL, 0);
	if (!extend(cert, &ctx, NID_basic_constraints, "critical,CA:TRUE") ||
		!extend(cert, &ctx, NID_key_usage, "critical,keyCertSign,cRLSign") ||
		!extend(cert, &ctx, NID_subject_key_identifier, "hash") ||
		!extend(cert, &ctx, NID_authority_key_identifier, "keyid:always") ||
		X509_sign(cert, signer, hash_of(kind)) <= 0)
		return NULL;
	return MOVE(cert);
}

/*
 * The subjectAltName is a directoryName with three attributes: TCG EK Credential Profile 3.2.9. Key and
 * signature are the intermediate's, for without any OpenSSL copies no certificate.
 */
static X509 *model(enum fleet_kind kind, X509 *issuer, EVP_PKEY *signer)
{
	AUTO(x509_free) X509 *cert = start(issuer);
	AUTO(bio_free) BIO *section = BIO_new_mem_buf(tpm_section, -1);
	AUTO(conf_free) CONF *conf = NCONF_new(NULL);
	X509V3_CTX ctx = {0};

	if (cert == NULL || section == NULL || NCONF_load_bio(conf, section, NULL) != 1 ||
		X509_set_pubkey(cert, signer) != 1)
		return NULL;
	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	X509V3_set_nconf(&ctx, conf);
	if (!extend(cert, &ctx, NID_subject_alt_name, "critical,dirName:tpm") ||
		!extend(cert, &ctx, NID_basic_constraints, "critical,CA:FALSE") ||
		!extend(cert, &ctx, NID_key_usage,
			kind == FLEET_RSA ? "critical,keyEncipherment" : "critical,keyAgreement") ||
		!extend(cert, &ctx, NID_ext_key_usage, "2.23.133.8.1") ||
		!extend(cert, &ctx, NID_authority_key_identifier, "keyid:always") ||
		X509_sign(cert, signer, hash_of(kind)) <= 0)
		return NULL;
	return MOVE(cert);
}

static bool make(enum fleet_kind kind, struct manufacturer *out)
{
	AUTO(pkey_free) EVP_PKEY *root = new_key(kind);

	out->keys[kind] = new_key(kind);
	if (root == NULL || out->keys[kind] == NULL)
		return false;
	out->roots[kind] = authority(kind, root, NULL, root);
	if (out->roots[kind] == NULL)
		return false;
	out->intermediates[kind] = authority(kind, out->keys[kind], out->roots[kind], root);
	if (out->intermediates[kind] == NULL)
		return false;
	out->models[kind] = model(kind, out->intermediates[kind], out->keys[kind]);
	return out->models[kind] != NULL;
}

enum err manufacturer_make(struct manufacturer *out)
{
	*out = (struct manufacturer){0};
	for (enum fleet_kind kind = 0; kind < FLEET_KINDS; kind++)
		if (!make(kind, out))
			return no_crypto("certificates");
	return OK;
}

enum err manufacturer_share(const struct manufacturer *from, struct manufacturer *out)
{
	*out = (struct manufacturer){0};
	for (size_t kind = 0; kind < FLEET_KINDS; kind++) {
		out->models[kind] = X509_dup(from->models[kind]);
		if (out->models[kind] == NULL || EVP_PKEY_up_ref(from->keys[kind]) != 1)
			return no_crypto("certificates");
		out->keys[kind] = from->keys[kind];
	}
	return OK;
}

void manufacturer_free(struct manufacturer *manufacturer)
{
	for (size_t kind = 0; kind < FLEET_KINDS; kind++) {
		X509_free(manufacturer->roots[kind]);
		X509_free(manufacturer->intermediates[kind]);
		X509_free(manufacturer->models[kind]);
		EVP_PKEY_free(manufacturer->keys[kind]);
	}
	*manufacturer = (struct manufacturer){0};
}

static enum err make_dir(const char *path)
{
	if (mkdir(path, 0755) == 0 || errno == EEXIST)
		return OK;
	return fail(ERR_INTERNAL, "file-write", "%s: %s", path, strerror(errno));
}

static enum err write_pem(const char *dir, const char *folder, enum fleet_kind kind, X509 *cert)
{
	AUTO(bio_free) BIO *bio = BIO_new(BIO_s_mem());
	char path[4096];
	char *bytes;
	long n;

	snprintf(path, sizeof(path), "%s/%s", dir, folder);
	TRY(make_dir(path));
	snprintf(path, sizeof(path), "%s/%s/%s.pem", dir, folder, fleet_kinds[kind]);
	if (bio == NULL || PEM_write_bio_X509(bio, cert) != 1)
		return no_crypto("certificates");
	n = BIO_get_mem_data(bio, &bytes);
	return file_replace(path, 0644, (struct view){(uint8_t *)bytes, (size_t)n});
}

enum err manufacturer_publish(const struct manufacturer *manufacturer, const char *dir)
{
	TRY(make_dir(dir));
	for (enum fleet_kind kind = 0; kind < FLEET_KINDS; kind++) {
		TRY(write_pem(dir, "roots", kind, manufacturer->roots[kind]));
		TRY(write_pem(dir, "intermediates", kind, manufacturer->intermediates[kind]));
	}
	return OK;
}

/* Without a detour through EVP_PKEY, which would cost more than all the rest. */
static bool set_key(X509 *cert, enum fleet_kind kind, struct view bits)
{
	const int curve = kind == FLEET_P384 ? NID_secp384r1 : NID_X9_62_prime256v1;
	const bool is_rsa = kind == FLEET_RSA;
	uint8_t *copy = OPENSSL_memdup(bits.p, bits.n);

	if (copy != NULL &&
		X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(cert),
			OBJ_nid2obj(is_rsa ? NID_rsaEncryption : NID_X9_62_id_ecPublicKey),
			is_rsa ? V_ASN1_NULL : V_ASN1_OBJECT, is_rsa ? NULL : OBJ_nid2obj(curve),
			copy, (int)bits.n) == 1)
		return true;
	OPENSSL_free(copy);
	return false;
}

enum err manufacturer_certify(const struct manufacturer *manufacturer, enum fleet_kind kind,
	struct view public_bits, struct buf *der)
{
	AUTO(x509_free) X509 *cert = X509_dup(manufacturer->models[kind]);
	AUTO(ossl_free) uint8_t *bytes = NULL;
	int n;

	if (cert == NULL || !set_serial(cert) || !set_key(cert, kind, public_bits) ||
		X509_sign(cert, manufacturer->keys[kind], hash_of(kind)) <= 0 ||
		(n = i2d_X509(cert, &bytes)) <= 0)
		return no_crypto("EK certificates");
	buf_add(der, (struct view){bytes, (size_t)n});
	return buf_ok(der);
}
