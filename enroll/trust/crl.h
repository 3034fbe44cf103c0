/* crl.h - one revocation list: whose it is, and whether it has a certificate. */
#pragma once

#include "enroll/trust/set.h"

/*
 * Looks at a CRL of a set that is being made, and notes which CA of the set signed it. ERR_INTERNAL "crl" says why
 * it is of no use: a delta CRL, one for attribute certificates, one with a critical extension that is not known, or
 * one that the CA of its name and key identifier did not sign. One of a CA that the set does not have is kept.
 * Whatever identifier it has: a CA of its name whose key signed it is its issuer.
 */
CHECKED enum err crl_examine(const struct trust *trust, struct trust_entry *entry);

/* Is it this CA's, by name and, where it has one, authority key identifier? */
bool crl_is_of(const X509_CRL *crl, const X509 *ca);
/* Did this CA sign it, and may it (RFC 5280 6.3.3 (f), (g))? */
bool crl_is_signed_by(const struct trust_entry *entry, X509 *ca);
/* Does it speak for other CAs than its own (RFC 5280 5.2.5)? */
bool crl_is_indirect(const X509_CRL *crl);

struct crl_revocation {
	int64_t at; /* seconds since 1970; -1: unreadable */
	const char *reason; /* "key compromise" */
};
/* Does it have this certificate, by issuer and serial number? Nothing is said of its signature. */
bool crl_has(const struct trust_entry *entry, X509 *cert, struct crl_revocation *out);

/* Of one issuer, key and scope, and made later, but not after `now`? */
bool crl_replaces(const struct trust_entry *newer, const struct trust_entry *older, int64_t now);

/* Was it to be renewed before `now`? `*when` is when, in seconds since 1970. */
bool crl_is_old(const X509_CRL *crl, int64_t now, int64_t *when);
