/* anchor.h - the certificates that this device trusts, for TLS and for what it is given. Nothing
 * that a service sends becomes one, except under a digest that the operator named. */
#pragma once

#include "ca/base/buf.h"

#include <openssl/x509.h>

struct anchors;

/*
 * The CA certificates of a PEM bundle. `*out` is the caller's, for anchors_free(). ERR_NOT_FOUND
 * "file-missing"; ERR_INTERNAL "pem-file", also for a certificate that is not a CA's.
 */
CHECKED enum err anchors_read(const char *path, struct anchors **out);

/*
 * One anchor known by the SHA-256 of its DER, 64 hexadecimal digits with or without colons. It is
 * looked for in the file `path` (which may be missing) and, if it is not there, in the chain of the
 * first TLS handshake. ERR_MALFORMED "usage" when `digest` is no digest.
 */
CHECKED enum err anchors_pinned(const char *digest, const char *path, struct anchors **out);
void anchors_free(struct anchors **anchors);

/* False as long as a pinned anchor has not been seen. */
bool anchors_are_known(const struct anchors *anchors);

/* For SSL_CTX_set_cert_verify_callback(), with the anchors as its argument. */
int anchors_verify_tls(X509_STORE_CTX *ctx, void *of);

/* Why the last anchors_verify_tls() refused, "" when it did not. */
const char *anchors_tls_problem(const struct anchors *anchors);

/* What the last anchors_verify_tls() was shown, and what it thought of it. */
struct tls_peer {
	X509 *certificate; /* NULL: no handshake got so far */
	int error; /* X509_V_OK, or another X509_V_ERR_... of OpenSSL */
	char protocol[16]; /* "TLSv1.3" */
};
/* Borrowed. */
const struct tls_peer *anchors_tls_peer(const struct anchors *anchors);

/*
 * Does `certificate` chain to an anchor, through `intermediates` (may be NULL), today (RFC
 * 5280 6.1, with OpenSSL's strict checks), its extended key usages
 * within those of each CA on the way that has some? ERR_DENIED "service-not-trusted"
 * otherwise.
 */
CHECKED enum err anchors_check(
	const struct anchors *anchors, X509 *certificate, STACK_OF(X509) *intermediates);

/* Appends the PEM text of all. */
CHECKED enum err anchors_write(const struct anchors *anchors, struct buf *pem);
