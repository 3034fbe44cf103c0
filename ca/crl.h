/* crl.h - the certificates of a CA that were taken back, in a list that it signs: whole, or one shard. */
#pragma once

#include "ca/authority.h"
#include "ca/base/revoked.h"

struct crl_content {
	/*
	 * Of a shard: where it is fetched, as the certificates that belong to it have it in their
	 * distribution point, byte for byte (RFC 5280 6.3.3 (b)(2)); it is for end entities only. NULL:
	 * the one CRL of this CA, for all that it issued.
	 */
	const char *url;
	uint64_t
		number; /* RFC 5280 5.2.3: greater than that of every CRL before of the same scope */
	int64_t this_update, next_update; /* seconds since 1970 */
	const struct revoked *entries; /* in any order, each serial once */
	size_t n;
};

/*
 * Builds and signs a CRL of version 2 (RFC 5280 5), and appends its DER: entries by serial, each with
 * its reason unless that is unspecified, the CA's key identifier, the number, and of a shard a
 * critical issuingDistributionPoint with onlyContainsUserCerts. Also when the CA's certificate has
 * ended: an entry is to be in one CRL after its certificate's end (3.3). ERR_INTERNAL "crl-entry" for
 * a serial that is none or is there twice, "ca-crl-sign" when crl_may_sign() says no, "crypto";
 * ERR_TOO_LARGE "too-large" when it does not fit into the buffer's limit.
 */
CHECKED enum err crl_build(
	const struct authority *authority, const struct crl_content *content, struct buf *der);

/* Does the CA's certificate let it sign CRLs (RFC 5280 4.2.1.3: cRLSign)? Verifiers believe no other. */
bool crl_may_sign(const X509 *ca);

/* Bytes of an entry, at most, of a certificate that certificate_issue() made. */
#define CRL_ENTRY_MAX 51

/*
 * How many certificates of ours a shard can have so that its CRL never has more than `bytes`, whatever
 * of it is revoked; `url_n` is the length of the longest URL. 0: not even one.
 */
size_t crl_capacity(const struct authority *authority, size_t url_n, size_t bytes);

#define CRL_FILE_MAX (1024 * 1024)

/* One CRL in DER that fills the bytes whole, or the first one of a PEM text, the caller's; NULL otherwise. */
X509_CRL *crl_from_bytes(struct view bytes);

/*
 * Reads the CRL, DER or PEM, of a CA above this one, and appends its DER: its issuer is that of the
 * CA's certificate or of one above it, by name. Whether it was signed by it is for relying parties to
 * see, who have that CA's certificate. ERR_INTERNAL "ca-crl", and the errors of file_read().
 */
CHECKED enum err crl_above_read(
	const struct authority *authority, const char *path, struct buf *der);
