/* maker.h - certificates, AKs and state directories for the tests of this folder. */
#pragma once

#include "ca/base/ossl.h"
#include "enroll/agent/ak.h"
#include "enroll/agent/state.h"

#include <cmocka.h>

#define SERVICE "https://ca.example.org"
#define HOST "web-01.example.org"
#define AK_USAGE "2.23.133.8.3"
#define PROPERTY_USAGE                                                                             \
	"1.2.840.113556.1.8000.2554.11678.54212.13990.18118.39851.7049480.9573563.1.1"

/* What a certificate is to look like; `issuer` NULL: self-signed. */
struct recipe {
	const char *name;
	bool is_ca;
	const char *dns; /* a subjectAltName, NULL: none */
	const char *usage; /* extended key usage, NULL: none */
	const char *identifier; /* or a permanentIdentifier in it, NULL: none */
	EVP_PKEY *key;
	X509 *issuer;
	EVP_PKEY *issuer_key;
	long from; /* seconds from now */
	long until;
};
X509 *made_certificate(const struct recipe *recipe);
EVP_PKEY *made_key(void);

/* A root, an intermediate below it, and their keys. */
struct certifier {
	EVP_PKEY *root_key;
	X509 *root;
	EVP_PKEY *key;
	X509 *intermediate;
};
void certifier_make(struct certifier *out);
void certifier_free(struct certifier *certifier);
/* An AK certificate for `key` by the intermediate. */
X509 *certifier_issue(
	const struct certifier *certifier, EVP_PKEY *key, const char *dns, long from, long until);

/* An AK as a TPM would make it for `service`, but of a software key. */
struct device_ak *made_ak(const char *service);

/* A new directory below the system's temporary one; for free() after directory_remove(). */
char *made_directory(void);
void directory_remove(const char *dir);
void file_put(const char *dir, const char *name, const char *text);
/* One certificate as a PEM file. */
void pem_put(const char *dir, const char *name, X509 *certificate);
