/* granted.h - the shipped template "ak", and a grant by it. */
#pragma once

#include "ca/grant.h"
#include "ca/template.h"

#include <openssl/evp.h>

struct granted {
	struct templates *templates;
	const struct template *tmpl;
	struct buf bits; /* the key's, as the grant carries them */
	struct grant grant; /* whole: web-01.example.org, a TPM of "swtpm" */
};
void granted_make(EVP_PKEY *key, struct granted *out);
void granted_free(struct granted *granted); /* for AUTO */
