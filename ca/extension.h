/* extension.h - X.509 extensions, added to a certificate that is being built. */
#pragma once

#include "ca/base/buf.h"

#include <openssl/x509v3.h>

/* basicConstraints, critical (RFC 5280 4.2.1.9); `path_length` only counts for a CA. */
CHECKED enum err extension_basic_constraints(X509 *cert, bool is_ca, long path_length);

/* keyUsage, critical (4.2.1.3), from bits as usage_bit() numbers them. */
CHECKED enum err extension_key_usage(X509 *cert, const int *bits, size_t n);

/* extKeyUsage (4.2.1.12), dotted OIDs in their order. */
CHECKED enum err extension_extended_key_usage(
	X509 *cert, char *const *oids, size_t n, bool is_critical);

/* authorityInfoAccess (4.2.2.1), a URL each; NULL: none of that kind. */
CHECKED enum err extension_authority_information(
	X509 *cert, const char *ca_issuers, const char *ocsp);

/* One more of what that extension, or another, lists; false when there is no memory. */
bool access_add(AUTHORITY_INFO_ACCESS *all, int method, const char *url);

/* cRLDistributionPoints (4.2.1.13): one, of one URL. */
CHECKED enum err extension_crl_distribution_point(X509 *cert, const char *url);

/* certificatePolicies (4.2.1.4), dotted OIDs in their order, without qualifiers. */
CHECKED enum err extension_certificate_policies(X509 *cert, const char *const *oids, size_t n);

/* Any other, by its dotted OID (4.2); `der` is what its OCTET STRING holds. */
CHECKED enum err extension_any(X509 *cert, const char *oid, bool is_critical, struct view der);

/*
 * subjectKeyIdentifier (4.2.1.2): the leftmost 160 bits of SHA-256 over the subject's public key
 * (RFC 7093 2, method 1), which must have been set.
 */
CHECKED enum err extension_subject_key_identifier(X509 *cert);

/* authorityKeyIdentifier (4.2.1.1): the issuer's subjectKeyIdentifier, which it must have. */
CHECKED enum err extension_authority_key_identifier(X509 *cert, const X509 *issuer);

/* What certificates and CRLs have in common; the caller's. NULL when there is no memory, and of a CA
 * without subjectKeyIdentifier. */
AUTHORITY_KEYID *authority_key_identifier(const X509 *issuer);
DIST_POINT_NAME *distribution_point_name(const char *url);
