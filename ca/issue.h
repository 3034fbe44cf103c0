/* issue.h - an X.509 certificate built from a template and a grant, and signed. */
#pragma once

#include "ca/authority.h"
#include "ca/grant.h"
#include "ca/template.h"

#define ISSUED_SERIAL_SIZE 16 /* of an X.509 certificate of ours */
#define ISSUED_SERIAL_MAX 20 /* RFC 5280 4.1.2.2 */

struct issued {
	uint8_t serial[ISSUED_SERIAL_MAX]; /* of x509: positive, 104 random bits */
	size_t serial_n; /* of an OpenSSH certificate 8 bytes, the database's number */
	uint8_t issuer
		[SHA256_SIZE]; /* who signed it: authority_id(), or of an OpenSSH CA ssh_ca_id() */
	int64_t not_before, not_after;
	struct buf der; /* DER; of an OpenSSH certificate its blob */
};
void issued_free(struct issued *issued);

/*
 * Does the grant have what a certificate of the template, of kind x509, states, and may this CA
 * state it? ERR_REJECTED "template-needs-evidence" when it carries what an AK said of the key, and
 * none did; "ca-name-constraints"; and as variables_expand().
 */
CHECKED enum err certificate_judge(
	const struct authority *authority, const struct template *tmpl, const struct grant *grant);

/*
 * Builds and signs one certificate. It begins `backdate` before `now` and ends a lifetime after it,
 * neither of them outside the CA's certificate. ERR_BUSY "ca-not-valid-yet", "ca-expired" when `now`
 * is; ERR_INTERNAL "crypto", "random"; and as certificate_judge().
 */
CHECKED enum err certificate_issue(const struct authority *authority, const struct template *tmpl,
	const struct grant *grant, int64_t now, struct issued *out);

/*
 * A serial number of ISSUED_SERIAL_SIZE bytes, set in the certificate and given out: behind the day, which
 * the certificate's own dates tell, it is random.
 */
CHECKED enum err serial_make(X509 *cert, int64_t now, uint8_t out[static ISSUED_SERIAL_SIZE]);

/* Signs with the digest that fits the key, see key_signs_with(), and appends the DER. */
CHECKED enum err certificate_sign(X509 *cert, EVP_PKEY *key, struct buf *der);
