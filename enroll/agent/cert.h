/* cert.h - certificates as this device keeps them: PEM text, serial number, dates. */
#pragma once

#include "ca/base/buf.h"
#include "ca/base/ossl.h"

#define CERTS_MAX (1024 * 1024)

/*
 * Reads every certificate of a PEM file. `*out` is the caller's, for x509_stack_free(); untouched
 * on failure. ERR_NOT_FOUND "file-missing"; ERR_INTERNAL "pem-file" for one without a certificate,
 * or with one that cannot be read.
 */
CHECKED enum err certs_read(const char *path, STACK_OF(X509) **out);
CHECKED enum err certs_parse(struct view pem, const char *path, STACK_OF(X509) **out);

/* Appends one certificate's PEM text. */
CHECKED enum err cert_pem_add(X509 *certificate, struct buf *out);

/* One DER certificate that fills `der` whole; NULL otherwise. */
X509 *cert_from_der(struct view der);

/* When it is valid, in seconds since 1970; ERR_INTERNAL "pem-file" for dates that are none. */
CHECKED enum err cert_validity(const X509 *certificate, int64_t *from, int64_t *until);

/* Room for cert_serial(): 20 bytes (RFC 5280 4.1.2.2) in hexadecimal, and a NUL. */
#define CERT_SERIAL_SIZE 44
void cert_serial(const X509 *certificate, char out[static CERT_SERIAL_SIZE]);
