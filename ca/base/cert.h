/* cert.h - certificates out of bytes and into bytes. Nothing here judges one. */
#pragma once

#include "ca/base/buf.h"
#include "ca/base/ossl.h"

#define CERTS_MAX (1024 * 1024) /* bytes of a file of certificates */

/* One DER certificate (RFC 5280 4.1) that fills `der` whole, the caller's; NULL otherwise. */
X509 *cert_from_der(struct view der);

/*
 * One DER certificate as above, whose key is taken out of it without OpenSSL's decoders where it is RSA in its usual
 * encoding (RFC 3279 2.3.1): they take ten times as long as all the rest, at every certificate. What OpenSSL looks
 * up for a certificate of its own it does not find for such a one: it is for cert_sha256() and cert_is_signed_by(),
 * and X509_digest() and X509_verify() always fail.
 */
X509 *cert_from_der_plainly(struct view der);

/* SHA-256 over the DER. ERR_INTERNAL "crypto". */
CHECKED enum err cert_sha256(const X509 *cert, uint8_t out[static 32]);

/* X509_verify() with any certificate: is its signature by this key, and does it name one algorithm for it? */
bool cert_is_signed_by(const X509 *cert, EVP_PKEY *key);

/* Append one certificate, as DER and as PEM text. ERR_INTERNAL "crypto", ERR_TOO_LARGE. */
CHECKED enum err cert_der_add(const X509 *cert, struct buf *out);
CHECKED enum err cert_pem_add(const X509 *cert, struct buf *out);

/*
 * Every certificate of a PEM text (RFC 7468), in order; words around them and other things among
 * them are passed over. One that cannot be read is counted in `*broken` and hides none of those
 * after it. `*out` is the caller's, for x509_stack_free(). ERR_INTERNAL "out-of-memory".
 */
CHECKED enum err certs_from_pem(struct view pem, STACK_OF(X509) **out, size_t *broken);

/*
 * The same for who needs at least one and every one; `path` is for the message, and `code` is the
 * ERR_INTERNAL when there is none, or one that cannot be read. certs_read() reads the file, of at
 * most CERTS_MAX bytes, with the errors of file_read().
 */
CHECKED enum err certs_parse(
	struct view pem, const char *path, const char *code, STACK_OF(X509) **out);
CHECKED enum err certs_read(const char *path, const char *code, STACK_OF(X509) **out);
/* The first of them; the caller's. Whatever comes after it must be readable too. */
CHECKED enum err cert_read(const char *path, const char *code, X509 **out);

/* A distinguished name as RFC 2253 writes it, cut to `room`; never NULL, "" when empty. */
void name_text(const X509_NAME *name, char *out, size_t room);

/* When it is valid, in seconds since 1970. ERR_INTERNAL "certificate-dates" for dates that are none. */
CHECKED enum err cert_validity(const X509 *cert, int64_t *from, int64_t *until);
/* Is it valid at `now`? ERR_REJECTED "certificate-dates" when not, and for dates that are none. */
CHECKED enum err cert_check_dates(const X509 *cert, int64_t now);

/* Room for cert_serial(): 20 bytes (RFC 5280 4.1.2.2) in hexadecimal, and a NUL. */
#define CERT_SERIAL_SIZE 44
/* The serial number in lower-case hexadecimal digits. */
void cert_serial(const X509 *cert, char out[static CERT_SERIAL_SIZE]);
