/* admin_ca.h - the CAs whose client certificates are those of operators. */
#pragma once

#include "ca/base/crypt.h"

#include <openssl/x509.h>

#define OPERATOR_NAME 64 /* bytes of an operator's name, or a token's, at most */

struct admin_ca; /* safe from any thread */

/* What a certificate says that an admin CA signed; only admin_ca_judge() fills it in. */
struct operator_certificate {
	char name[OPERATOR_NAME + 1];
	uint8_t sha256[SHA256_SIZE]; /* of the DER */
	int64_t not_after; /* seconds since 1970 */
};

/* A letter or digit, then letters, digits and . _ @ -: what operators and tokens may be called. */
bool operator_name_is(const char *name);

/*
 * Loads the CA certificates of a PEM file, each an anchor of its own: a second one is there while the
 * first is replaced. `*out` is the caller's, for admin_ca_free(). ERR_INTERNAL "admin-ca" when there is
 * none, or one that is no CA's.
 */
CHECKED enum err admin_ca_load(const char *path, struct admin_ca **out);
void admin_ca_free(struct admin_ca **ca); /* accepts NULL inside, leaves NULL behind */

/* The certificate at a place, borrowed; NULL beyond the last. NULL is none. */
const X509 *admin_ca_at(const struct admin_ca *ca, size_t index);

/* Is the key of one of them the one whose SubjectPublicKeyInfo has this SHA-256? */
bool admin_ca_has(const struct admin_ca *ca, const uint8_t id[static SHA256_SIZE]);

/* Are they the same certificates in the same order? NULL is none. */
bool admin_ca_equal(const struct admin_ca *a, const struct admin_ca *b);

/*
 * Is this certificate, in DER, one that lets its holder in at `now` (RFC 5280 6.1)? It is signed by one
 * of these CAs, which has not ended; is no CA's; has the extended key usage clientAuth (4.2.1.12), and
 * one common name that operator_name_is(). ERR_DENIED "not-an-operator",
 * "operator-certificate-expired". That it was taken back, the records tell.
 */
CHECKED enum err admin_ca_judge(
	const struct admin_ca *ca, struct view der, int64_t now, struct operator_certificate *out);
