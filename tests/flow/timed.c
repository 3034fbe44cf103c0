#include "tests/flow/timed.h"

#include "ca/base/mem.h"
#include "ca/key.h"
#include "tests/flow/process.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>

#define OPERATOR_LIFE (365 * 86400L)
#define EDGE_LIFE (397 * 86400L)

static X509 *read_certificate(const char *path)
{
	FILE *file = fopen(path, "r");
	X509 *cert = file == NULL ? NULL : PEM_read_X509(file, NULL, NULL, NULL);

	must(cert != NULL, "%s", path);
	fclose(file);
	return cert;
}

struct ca ca_open(const char *dir, const char *name)
{
	AUTO(mem_free) char *pem = text("%s/%s.pem", dir, name);
	AUTO(mem_free) char *key = text("%s/%s.key", dir, name);
	AUTO(mem_free) char *passphrase = text("%s/%s.passphrase", dir, name);
	struct ca ca = {.cert = read_certificate(pem)};

	must(key_load(key, passphrase, &ca.key) == OK, "%s", why()->sentence);
	return ca;
}

void ca_close(struct ca *ca)
{
	X509_free(ca->cert);
	EVP_PKEY_free(ca->key);
}

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(extension != NULL && X509_add_ext(cert, extension, -1) == 1, "%s", value);
	X509_EXTENSION_free(extension);
}

X509 *timed_certify(struct ca *ca, EVP_PKEY *key, const char *names, long life, long seconds)
{
	X509 *cert = X509_new(), *issuer = names == NULL ? cert : ca->cert;
	X509_NAME *subject = X509_get_subject_name(cert);

	must(cert != NULL, "X509_new");
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 4711);
	X509_NAME_add_entry_by_txt(
		subject, "CN", MBSTRING_ASC, (const uint8_t *)"short", -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(issuer));
	X509_set_pubkey(cert, key);
	X509_gmtime_adj(X509_getm_notBefore(cert), seconds - life);
	X509_gmtime_adj(X509_getm_notAfter(cert), seconds);
	extend(cert, issuer, NID_subject_key_identifier, "hash");
	extend(cert, issuer, NID_authority_key_identifier, "keyid:always");
	extend(cert, issuer, NID_basic_constraints,
		names == NULL ? "critical,CA:TRUE" : "CA:FALSE");
	if (names == NULL)
		extend(cert, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
	else
		extend(cert, issuer, NID_subject_alt_name, names);
	must(X509_sign(cert, ca->key, EVP_sha256()) > 0, "X509_sign");
	return cert;
}

void timed_write(const char *path, X509 *cert, X509 *above, EVP_PKEY *key)
{
	FILE *file = fopen(path, "w");

	must(file != NULL && PEM_write_X509(file, cert) == 1, "%s", path);
	must(above == NULL || PEM_write_X509(file, above) == 1, "%s", path);
	must(key == NULL || PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1, "%s",
		path);
	fclose(file);
}

void timed_edge(const char *dir, const char *path, const char *names, long seconds)
{
	struct ca ca = ca_open(dir, "edge-ca");
	EVP_PKEY *key = NULL;
	X509 *cert;

	must(key_generate(KEY_TYPE_P256, &key) == OK, "%s", why()->sentence);
	cert = timed_certify(&ca, key, names, EDGE_LIFE, seconds);
	timed_write(path, cert, ca.cert, key);
	X509_free(cert);
	EVP_PKEY_free(key);
	ca_close(&ca);
}

void timed_operator(
	const char *dir, const char *by, const char *path, const char *name, long seconds)
{
	struct ca ca = ca_open(dir, by);
	X509 *cert = X509_new();
	EVP_PKEY *key = NULL;

	must(cert != NULL && key_generate(KEY_TYPE_P256, &key) == OK, "%s", why()->sentence);
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 4712);
	X509_NAME_add_entry_by_txt(
		X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const uint8_t *)name, -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(ca.cert));
	X509_set_pubkey(cert, key);
	X509_gmtime_adj(X509_getm_notBefore(cert), seconds - OPERATOR_LIFE);
	X509_gmtime_adj(X509_getm_notAfter(cert), seconds);
	extend(cert, ca.cert, NID_authority_key_identifier, "keyid:always");
	extend(cert, ca.cert, NID_basic_constraints, "critical,CA:FALSE");
	extend(cert, ca.cert, NID_key_usage, "critical,digitalSignature");
	extend(cert, ca.cert, NID_ext_key_usage, "clientAuth");
	must(X509_sign(cert, ca.key, EVP_sha256()) > 0, "X509_sign");
	timed_write(path, cert, ca.cert, key);
	must(chmod(path, 0600) == 0, "%s", path);
	X509_free(cert);
	EVP_PKEY_free(key);
	ca_close(&ca);
}
