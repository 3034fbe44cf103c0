/* certfile.h - a device's certificate, and the certificates and CRLs of a trust directory's files. */
#pragma once

#include "ca/base/buf.h"

#include <openssl/x509.h>

/*
 * One DER certificate that fills the bytes whole. `*out` is the caller's. ERR_MALFORMED
 * "ek-certificate".
 */
CHECKED enum err certificate_read(struct view der, X509 **out);

/* The same, as cert_from_der_plainly() has it: for a leaf that is judged. */
CHECKED enum err certificate_read_plainly(struct view der, X509 **out);

/*
 * Calls `each` for every certificate in a PEM text, or for the one that DER bytes are; `each`
 * borrows the certificate, its first error ends the walk. ERR_MALFORMED "certificate-file" when
 * there is none, or when some cannot be read, after `each` had all the others.
 */
CHECKED enum err certificate_each(
	struct view bytes, enum err (*each)(void *ctx, X509 *cert), void *ctx);

/* One DER CRL that fills the bytes whole; `*out` is the caller's. ERR_MALFORMED "crl-file". */
CHECKED enum err crl_read(struct view der, X509_CRL **out);

/* certificate_each() for CRLs (RFC 7468 6). ERR_MALFORMED "crl-file". */
CHECKED enum err crl_each(struct view bytes, enum err (*each)(void *ctx, X509_CRL *crl), void *ctx);
