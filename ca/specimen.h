/* specimen.h - a grant for nobody: what an ordinary device would get, for judging and showing a
 * template. */
#pragma once

#include "ca/grant.h"
#include "ca/template.h"

#include <openssl/x509.h>

#define SPECIMEN_LABELS 32

struct specimen {
	struct grant grant; /* points into this struct, which must stay where it is */
	struct grant_evidence evidence;
	struct grant_label labels[SPECIMEN_LABELS];
	char host[256]; /* below the first domain that the issuer's name constraints permit */
	char organization[128]; /* of the issuer's subject */
	struct buf bits, names; /* the key's, and the names of labels */
	uint8_t blob[160];
};

/*
 * Everything that a grant can have is there, with each label that the template speaks of; its key
 * is a new P-256 one. `issuer` may be NULL. For specimen_free(), also after a failure. ERR_INTERNAL
 * "crypto".
 */
CHECKED enum err specimen_make(
	const struct template *tmpl, const X509 *issuer, struct specimen *out);
/*
 * Puts subject, subject alternative name and the template's own extensions of such a certificate,
 * of kind x509, into a new one. Errors of subject_build(), san_build() and extra_add().
 */
CHECKED enum err specimen_names(
	const struct template *tmpl, const struct specimen *specimen, X509 *cert);
void specimen_free(struct specimen *specimen); /* for AUTO */
