/* asker.h - who asks an OCSP responder, by OpenSSL's own hand. */
#pragma once

#include "ca/ocsp_request.h"

#include <openssl/x509.h>

/* The CertID of a serial number, as ocsp_request_parse() gives it. */
void ocsp_id_make(X509 *issuer, long serial, const EVP_MD *digest, struct ocsp_id *out);

/* Is it a response that is signed for this CA, by itself or by a responder of its own? */
bool ocsp_verifies(struct view der, X509 *ca);
