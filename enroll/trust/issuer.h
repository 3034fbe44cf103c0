/* issuer.h - a missing or wrong issuer, in words that a person can act on. */
#pragma once

#include "enroll/trust/path.h"

#define ISSUER_NAME 160

/* How a certificate of a path is called: its subject in quotes, or "the EK certificate". */
void issuer_name(const struct path *path, size_t at, char out[static ISSUER_NAME]);

/* ERR_REJECTED "ek-untrusted": nobody knows who issued the last one, or it is a root of nobody here. */
CHECKED enum err issuer_unknown(const struct path *path);

/*
 * `candidate` has the name of the last one's issuer and has not issued it; `code` is of
 * X509_check_issued(), or X509_V_ERR_CERT_SIGNATURE_FAILURE. ERR_REJECTED "ek-signature", "ek-chain",
 * "ek-untrusted" where the key identifiers say that it was another CA of that name.
 */
CHECKED enum err issuer_differs(const struct path *path, const X509 *candidate, int code);
