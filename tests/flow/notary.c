#include "tests/flow/notary.h"

#include "ca/base/cert.h"
#include "ca/base/crypt.h"
#include "ca/base/encode.h"
#include "tests/flow/process.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <time.h>

#define TEN_YEARS (10 * 365 * 86400)

static void must_ssl(bool good, const char *what)
{
	must(good, "%s: %s", what, ERR_error_string(ERR_peek_last_error(), NULL));
}

static void extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx = {0};
	X509_EXTENSION *extension;

	X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_nconf_nid(NULL, &ctx, nid, value);
	must_ssl(extension != NULL && X509_add_ext(certificate, extension, -1) == 1, value);
	X509_EXTENSION_free(extension);
}

static void name_it(X509_NAME *name, const char *type, const char *value)
{
	must_ssl(X509_NAME_add_entry_by_txt(
			 name, type, MBSTRING_UTF8, (const uint8_t *)value, -1, -1, 0) == 1,
		value);
}

static X509 *start(const struct notary_wish *wish, EVP_PKEY *key)
{
	X509 *certificate = X509_new();
	BIGNUM *serial = BN_new();
	time_t end = wish->not_after != 0 ? (time_t)wish->not_after : time(NULL) + TEN_YEARS;

	must_ssl(X509_set_version(certificate, X509_VERSION_3) == 1 &&
			 BN_rand(serial, 120, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
			 BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) != NULL &&
			 X509_time_adj_ex(X509_getm_notBefore(certificate), -1000, 0, NULL) !=
				 NULL &&
			 ASN1_TIME_set(X509_getm_notAfter(certificate), end) != NULL &&
			 X509_set_pubkey(certificate, key) == 1,
		"certificate");
	BN_free(serial);
	return certificate;
}

void notary_make(const struct notary_wish *wish, struct notary *out)
{
	const struct notary *by = wish->issuer == NULL ? out : wish->issuer;
	X509 *certificate;

	out->key = EVP_EC_gen("P-256");
	must_ssl(out->key != NULL, "key");
	certificate = out->certificate = start(wish, out->key);
	name_it(X509_get_subject_name(certificate), "O",
		wish->organization == NULL ? "Example" : wish->organization);
	name_it(X509_get_subject_name(certificate), "CN", wish->name);
	X509_set_issuer_name(certificate, X509_get_subject_name(by->certificate));
	extend(certificate, by->certificate, NID_basic_constraints,
		wish->is_leaf ? "critical,CA:FALSE" : "critical,CA:TRUE");
	extend(certificate, by->certificate, NID_key_usage,
		wish->is_leaf ? "critical,digitalSignature" : "critical,keyCertSign,cRLSign");
	if (wish->extended_key_usage != NULL)
		extend(certificate, by->certificate, NID_ext_key_usage, wish->extended_key_usage);
	extend(certificate, by->certificate, NID_subject_key_identifier, "hash");
	extend(certificate, by->certificate, NID_authority_key_identifier, "keyid:always");
	must_ssl(X509_sign(certificate, by->key, wish->md == NULL ? EVP_sha256() : wish->md) > 0,
		"X509_sign");
}

void notary_free(struct notary *notary)
{
	EVP_PKEY_free(notary->key);
	X509_free(notary->certificate);
	*notary = (struct notary){NULL, NULL};
}

void notary_der(const struct notary *notary, struct buf *out)
{
	must(cert_der_add(notary->certificate, out) == OK, "%s", why()->sentence);
}

void notary_write(const struct notary *notary, const char *certificate, const char *key)
{
	AUTO(buf_free) struct buf pem = BUF(1 << 16);
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes;
	long n;

	must(cert_pem_add(notary->certificate, &pem) == OK, "%s", why()->sentence);
	write_file(certificate, 0644, buf_view(&pem));
	must_ssl(PEM_write_bio_PKCS8PrivateKey(bio, notary->key, NULL, NULL, 0, NULL, NULL) == 1,
		"key");
	n = BIO_get_mem_data(bio, &bytes);
	if (key != NULL)
		write_file(key, 0600, (struct view){(const uint8_t *)bytes, (size_t)n});
	BIO_free(bio);
}

void notary_sha256(const struct notary *notary, char *out)
{
	AUTO(buf_free) struct buf der = BUF(1 << 16);
	uint8_t digest[SHA256_SIZE];

	notary_der(notary, &der);
	must(SHA256_OF(digest, buf_view(&der)) == OK, "%s", why()->sentence);
	hex_write(VIEW(digest), out);
}

void notary_write_crl(const struct notary *notary, const char *path)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *time_of = ASN1_TIME_set(NULL, time(NULL) - 60);
	uint8_t *der = NULL;
	int n = 0;

	must_ssl(X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
			 X509_CRL_set_issuer_name(
				 crl, X509_get_subject_name(notary->certificate)) == 1 &&
			 X509_CRL_set1_lastUpdate(crl, time_of) == 1 &&
			 X509_CRL_set1_nextUpdate(
				 crl, ASN1_TIME_set(time_of, time(NULL) + 86400)) == 1 &&
			 X509_CRL_sign(crl, notary->key, EVP_sha256()) > 0 &&
			 (n = i2d_X509_CRL(crl, &der)) > 0,
		"CRL");
	write_file(path, 0644, (struct view){der, (size_t)n});
	OPENSSL_free(der);
	ASN1_TIME_free(time_of);
	X509_CRL_free(crl);
}
