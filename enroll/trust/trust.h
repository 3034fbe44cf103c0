/* trust.h - whom we believe about EKs: the roots, and the intermediates that lead to them. */
#pragma once

#include "ca/base/buf.h"

#include <openssl/x509.h>

/* How an EK came to be believed; written into every binding. */
enum trust_class {
	TRUST_MANUFACTURER, /* a root that comes with Endorse */
	TRUST_OPERATOR_IMPORT, /* a root that the operator brought */
	TRUST_ALLOW_LIST, /* no root vouches for it: its digest is on the allow-list */
	TRUST_APPROVED, /* no root vouches for it: an admin accepted this very TPM */
	TRUST_UNPROVEN, /* nobody vouches for it: may prove itself and be held, never gets a grant */
};
/* "manufacturer", "operator-import", "allow-list", "approved", "unproven-root": by the class, and
 * then NULL. */
extern const char *const trust_class_words[];
/* Only those that a root can give, and then NULL. */
extern const char *const trust_root_class_words[];
const char *trust_class_text(enum trust_class class);
CHECKED enum err trust_class_read(const char *text, enum trust_class *out);

/* Directories of certificates (PEM or DER, one or more a file) and what they are. */
struct trust_source {
	const char *name; /* the operator's word for it */
	enum trust_class class;
	const char *roots; /* directory; each certificate in it may end a chain */
	const char *intermediates; /* directory or NULL; these only lead to roots */
	const char *crls; /* directory or NULL; of the CAs of any source */
	/* Whom the roots may vouch for: TCG vendor ids as an EK certificate's SAN has them
	 * ("id:49465800"), joined by commas. NULL or "": any. */
	const char *manufacturers;
	/* Instead of directories: a tree of vendors, each with its vendor.yaml (see vendor.h). */
	const char *vendors;
};

enum trust_role {
	TRUST_ROOT, /* ends a chain, also when it is not self-signed */
	TRUST_INTERMEDIATE, /* only leads to roots */
	TRUST_CRL,
};

/* One certificate or CRL of a trust set, as bytes; borrowed. */
struct trust_item {
	enum trust_role role;
	enum trust_class class; /* of a root */
	struct view der;
	const char *manufacturers; /* as in struct trust_source */
	const char *source; /* where it comes from, for people */
};

/* Never changes once loaded, but for what it remembers of chains (verdict.h); shared by all threads. */
struct trust;

/* Called for a file that is passed over, whole or in part, with the reason; the others load. */
typedef void trust_skipped(void *ctx, const char *path, const char *reason);

/*
 * Loads the sources. A root that several have is the first one's. What is no CA certificate, and a CRL that
 * cannot be used, is told to `skipped` and left out; so is a vendor whose vendor.yaml is wrong. `*out` is
 * the caller's, for trust_free(). ERR_INTERNAL "trust-empty" when a source gives no root at all,
 * "trust-directory" when a directory cannot be read.
 */
CHECKED enum err trust_load(const struct trust_source *sources, size_t n, trust_skipped *skipped,
	void *ctx, struct trust **out);
void trust_free(struct trust **trust);

/*
 * Makes a new set of what `base` has (NULL: nothing) and of `items`, which shares the former's certificates; `base` stays as
 * it is and may be freed. An item that cannot be read is told to `skipped` and left out. One that `base` has
 * too is the base's. `*out` is the caller's, for trust_free().
 */
CHECKED enum err trust_add(const struct trust *base, const struct trust_item *items, size_t n,
	trust_skipped *skipped, void *ctx, struct trust **out);

/* Calls `each` for everything in the set, borrowed; ends with the first that is not OK, and is it. */
CHECKED enum err trust_each(const struct trust *trust,
	enum err (*each)(void *ctx, const struct trust_item *item), void *ctx);

/*
 * SHA-256 over certificates, CRLs, classes, constraints and what is known against firmware: changes with
 * every change of whom we believe, and with nothing else.
 */
const uint8_t *trust_version(const struct trust *trust); /* 32 bytes */

/* The version of the vendors that came with the set (VERSION of their tree); "" without any. */
const char *trust_bundle_version(const struct trust *trust);
/* The same for a log: "none" without any. */
const char *trust_bundle_words(const struct trust *trust);

/* What was told to `skipped`, "PATH: REASON" a line; "" for nothing. Only the first 32 KiB. */
const char *trust_passed_over(const struct trust *trust);

/* Calls `each` for every CRL; borrowed. */
void trust_each_crl(
	const struct trust *trust, void (*each)(void *ctx, const X509_CRL *crl), void *ctx);

/* Calls `each` for every root; the certificate is borrowed. */
void trust_each_root(
	const struct trust *trust, void (*each)(void *ctx, const X509 *root), void *ctx);

#define TRUST_CHAIN_TEXT 1024
#define TRUST_SUBJECT 256 /* bytes of a certificate's subject as text, with its NUL */
#define TRUST_STEPS 5 /* a leaf's issuers up to the root, at most */

/* One certificate above an EK's. */
struct trust_step {
	char subject[TRUST_SUBJECT];
	uint8_t sha256[32];
	int64_t not_before, not_after; /* seconds since 1970 */
	enum { STEP_SENT, STEP_INTERMEDIATE, STEP_ANCHOR } from;
	char source[64]; /* where the set has it from; "" for one that the device sent */
};

/* What was let pass and somebody should know: bits. */
enum trust_remark {
	REMARK_EXPIRED = 1, /* a certificate of the chain, where that is taken */
	REMARK_FIRMWARE = 2, /* something is known against the TPM's firmware as it was made */
	REMARK_CRL_OLD = 4, /* a CRL of the chain is past its nextUpdate */
};

/* What a chain led to. */
struct trust_verdict {
	enum trust_class class;
	char source[64];
	char chain[TRUST_CHAIN_TEXT]; /* subjects from the EK's issuer to the root, one a line */
	struct trust_step step[TRUST_STEPS]; /* the same, with the root last */
	size_t steps;
	unsigned remarks; /* of enum trust_remark */
	char remark[512]; /* in words, "; " between them; "" */
	/* The first second after the question's, or that one, at which any certificate or CRL of the set, or one
	 * that was sent, begins or ends: until then the same comes out. */
	int64_t until;
};

/* What is asked of a trust set; borrowed. */
struct trust_question {
	X509 *leaf; /* also one of cert_from_der_plainly() */
	const struct view *sent; /* DER, the device's own intermediates */
	size_t sent_n;
	const char *manufacturer, *version; /* of the leaf's SAN: "id:49465800", "id:00010002" */
	int64_t now;
	bool takes_expired; /* as a remark */
};

/*
 * Verifies an EK certificate's chain with the device's own intermediates: only a root of the set ends it,
 * X509_V_FLAG_X509_STRICT, at most 4 certificates above the leaf, at most 8 signatures computed in search of it.
 * A chain that was verified VERDICT_LIFE seconds before or less is not verified again, see verdict.h. Of the
 * verdict, `until` is set also of one that is refused.
 * ERR_REJECTED "ek-untrusted" (nobody in the set has the name of an issuer, or only with another key than the
 * authority key identifier names; that is the only fault as far as the chain goes, so that it may be held),
 * "ek-signature" (a CA of that name is there, and it did not sign this), "ek-chain", "ek-weak",
 * "ek-not-yet-valid", "ek-expired", "ek-manufacturer" (the root may not vouch for this manufacturer),
 * "ek-revoked".
 */
CHECKED enum err trust_verify(const struct trust *trust, const struct trust_question *question,
	struct trust_verdict *verdict);
