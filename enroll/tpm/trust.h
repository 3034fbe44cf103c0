/* trust.h - whom we believe about EKs: the roots, and the intermediates that lead to them. */
#pragma once

#include "ca/base/buf.h"

#include <openssl/x509.h>

/* How an EK came to be believed; written into every binding. */
enum trust_class {
	TRUST_MANUFACTURER, /* a root that comes with Endorse */
	TRUST_OPERATOR_IMPORT, /* a root that the operator brought */
};
/* "manufacturer", "operator-import": by the class, and then NULL. */
extern const char *const trust_class_words[];
const char *trust_class_text(enum trust_class class);
CHECKED enum err trust_class_read(const char *text, enum trust_class *out);

/* Directories of certificates (PEM or DER, one or more a file) and what they are. */
struct trust_source {
	const char *name; /* the operator's word for it */
	enum trust_class class;
	const char *roots; /* directory; each certificate in it may end a chain */
	const char *intermediates; /* directory or NULL; these only lead to roots */
};

/* Never changes once loaded, but for what it remembers of chains (verdict.h); shared by all threads. */
struct trust;

/* Called for a file that is passed over, whole or in part, with the reason; the others load. */
typedef void trust_skipped(void *ctx, const char *path, const char *reason);

/*
 * Loads the sources. `*out` is the caller's, for trust_free(). ERR_INTERNAL "trust-empty" when a
 * source gives no root at all, "trust-directory" when a directory cannot be read.
 */
CHECKED enum err trust_load(const struct trust_source *sources, size_t n, trust_skipped *skipped,
	void *ctx, struct trust **out);
void trust_free(struct trust **trust);

/* SHA-256 over the certificates and their classes: changes with every change of whom we believe. */
const uint8_t *trust_version(const struct trust *trust); /* 32 bytes */

/* Calls `each` for every root; the certificate is borrowed. */
void trust_each_root(
	const struct trust *trust, void (*each)(void *ctx, const X509 *root), void *ctx);

#define TRUST_CHAIN_TEXT 1024

/* What a chain led to. */
struct trust_verdict {
	enum trust_class class;
	char source[64];
	char chain[TRUST_CHAIN_TEXT]; /* subjects from the EK's issuer to the root, one a line */
};

/*
 * Verifies an EK certificate's chain at `now` with the device's own intermediates: only a root of
 * the set ends it, X509_V_FLAG_X509_STRICT, at most 4 certificates above the leaf.
 * A chain that was verified VERDICT_LIFE seconds before or less is not verified again, see verdict.h.
 * ERR_REJECTED "ek-chain" (intermediates that are no certificates, doubled, or with keys of unusual
 * size), "ek-expired", "ek-untrusted".
 */
CHECKED enum err trust_verify(const struct trust *trust, X509 *leaf, const struct view *sent,
	size_t sent_n, int64_t now, struct trust_verdict *verdict);
