/* published.h - what a service publishes of certificates, as relying parties fetch and read it. */
#pragma once

#include "tests/flow/httpc.h"

#include <openssl/x509.h>

/* The path of the only URL in a certificate's distribution point ("/crl/..."), for free(). */
char *crl_path_of(struct view certificate);

/* The CRL at a path; NULL when there is none. It is fetched anew, and its headers are what they should be. */
X509_CRL *crl_at(const struct httpc_peer *peer, const char *path);
void x509_crl_free(X509_CRL **crl); /* for AUTO */

/* Its number; how many entries; whether a certificate is among them. */
long crl_number_of(const X509_CRL *crl);
int crl_entries(X509_CRL *crl);
bool crl_has(X509_CRL *crl, struct view certificate);

/* Waits up to 5 s until the certificate is in its CRL, or (`listed` false) is not; how many ms that took. */
long crl_wait(const struct httpc_peer *peer, struct view certificate, bool listed);

/* Writes a certificate, and a CRL as it is served now, as PEM. */
void certificate_write(struct view certificate, const char *path);
void crl_write(const struct httpc_peer *peer, const char *crl, const char *path);
