/* bundle.h - a file of certificates with what is known of each: PEM, and "# Key: Value" lines before it. */
#pragma once

#include "ca/base/buf.h"
#include "enroll/trust/trust.h"

/*
 * The format is that of tpm-ca-certificates: lines of "## " for the whole file, then for each certificate
 * "# Key: Value" lines (Certificate, Owner, Issuer, Serial Number, Subject, Not Valid Before, Not Valid After,
 * Fingerprint (SHA-256), Fingerprint (SHA1)) and its PEM text. Ours are Role, Manufacturers, Class, Source.
 * Keys that are not known are passed over, so that any PEM file is such a bundle.
 */
#define BUNDLE_MAX (64 * 1024 * 1024) /* bytes of a file */
#define BUNDLE_ENTRIES 20000

enum bundle_kind { BUNDLE_CERTIFICATE, BUNDLE_CRL, BUNDLE_PKCS7 };

/* One PEM text; strings are NULL where nothing says so. */
struct bundle_entry {
	enum bundle_kind kind;
	size_t line; /* where it begins, from 1 */
	uint8_t *der; /* as the PEM has it, whether OpenSSL can read it or not */
	size_t der_n; /* 0: the PEM text itself is broken */
	char *name; /* Certificate */
	char *owner; /* in letters of the TCG's registry: "NTC" */
	char *manufacturers; /* "id:49465800,id:53544D20" or "any", as it stands there */
	char *source;
	bool has_role, has_class;
	enum trust_role role;
	enum trust_class class;
};

struct bundle {
	struct bundle_entry *entry;
	size_t n;
};

/*
 * Reads it; keys of other kinds and texts that are no PEM are passed over. `path` is for messages. `*out`
 * is the caller's, for bundle_free(). ERR_MALFORMED "bundle-fingerprint" when a certificate is not the one
 * that its lines tell of, "bundle-value" for a role or a class that there is not, "bundle-size" with more
 * than BUNDLE_ENTRIES; each names file, line and certificate.
 */
CHECKED enum err bundle_read(struct view text, const char *path, struct bundle **out);
void bundle_free(struct bundle **bundle); /* accepts NULL inside, leaves NULL behind */
void bundle_entry_release(struct bundle_entry *entry); /* frees what it holds */

/* Begins a bundle: `title` and `lines` (more "Key: Value", one a line) are for people. */
void bundle_begin(struct buf *out, const char *title, const char *lines);
/* Appends one item with all its lines. ERR_MALFORMED for bytes that OpenSSL cannot read. */
CHECKED enum err bundle_add(struct buf *out, const struct trust_item *item);
