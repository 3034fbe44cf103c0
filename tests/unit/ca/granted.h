/* granted.h - a template, and a grant by it. */
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
/* By the shipped template "ak". */
void granted_make(EVP_PKEY *key, struct granted *out);
/* By a template of that name in a directory of the source tree. */
void granted_make_by(const char *templates, const char *name, EVP_PKEY *key, struct granted *out);
/* By tests/data/templates/everything.yaml: every kind of name and extension that there is. */
void granted_make_everything(EVP_PKEY *key, struct granted *out);
void granted_free(struct granted *granted); /* for AUTO */
