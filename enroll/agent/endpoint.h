/* endpoint.h - a tunnel's end: its key from a file, or the TLS certificate that it shows. */
#pragma once

#include "ca/base/buf.h"

#include <openssl/x509.h>

/* A PEM public key (RFC 7468 13). `*out` is the caller's. ERR_INTERNAL "pem-file"; those of file_read(). */
CHECKED enum err endpoint_read_key(const char *path, EVP_PKEY **out);

/*
 * Makes a TLS connection to `address` ("HOST:PORT", "[ADDRESS]:PORT") that asks for `name` (SNI),
 * and gives the certificate that was shown; the handshake proves that its key is there. It is
 * judged by nobody yet. `*out` is the caller's. ERR_MALFORMED "usage" for no such address; ERR_BUSY
 * "endpoint-away".
 */
CHECKED enum err endpoint_connect(const char *address, const char *name, X509 **out);

/* Copies the host's part of an address, without brackets, to `host`; false for what is no address. */
bool endpoint_host(const char *address, char *host, size_t room);
