/* timed.h - certificates that end when a test wants them to. */
#pragma once

#include <openssl/x509.h>

/* A CA of those that `endorsectl ca init` made. */
struct ca {
	X509 *cert;
	EVP_PKEY *key;
};
struct ca ca_open(const char *dir, const char *name); /* "issuing", "edge-ca" */
void ca_close(struct ca *ca);

/*
 * `names` NULL: a CA's certificate, signed by its own key `key`, which is that of `ca`; else a server's
 * ("DNS:localhost"), by `ca`. It is valid for `life` seconds and ends so many seconds from now.
 */
X509 *timed_certify(struct ca *ca, EVP_PKEY *key, const char *names, long life, long seconds);

/* PEM: the certificate, the one above it and the private key, where they are not NULL. */
void timed_write(const char *path, X509 *cert, X509 *above, EVP_PKEY *key);

/* The file of an operator's TLS client: a new key, and a certificate by a CA of `dir`. */
void timed_operator(
	const char *dir, const char *ca, const char *path, const char *name, long seconds);

/* The file of a TLS edge: a new key, and a certificate by the edge CA of `dir`. */
void timed_edge(const char *dir, const char *path, const char *names, long seconds);
