/* issuer.h - an issuing CA as files, and as faulty as asked. */
#pragma once

#include "ca/authority.h"

#include <openssl/evp.h>

/* What the CA's certificate is to look like; extensions as openssl.cnf has them, NULL leaves one
 * out. */
struct issuer_recipe {
	EVP_PKEY *key; /* NULL: a new P-256 */
	int64_t until; /* seconds since 1970; 0: in ten years */
	const char *constraints, *key_usage, *identifier;
	const char *names; /* name constraints */
	size_t copies; /* of the certificate in its file */
	const char *subject, *issuer; /* common names; "" for a name without any */
};
struct issuer_recipe issuer_good(void);

struct issuer {
	char *dir, *certificate, *key, *passphrase; /* paths */
	X509 *cert;
	EVP_PKEY *pkey;
};
void issuer_make(const struct issuer_recipe *recipe, struct issuer *out);
void issuer_free(struct issuer *issuer); /* for AUTO */
CHECKED enum err issuer_load(const struct issuer *issuer, struct authority **out);

/* A fixture of tests/data as an authority: its files are copied to where no others can read them. */
struct authority *issuer_of_fixture(void);
/* A file of the source tree. */
char *source_path(const char *path);
