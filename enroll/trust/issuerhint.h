/* issuerhint.h - who signed a certificate, as it says itself: a hint for people, nothing of it is proven. */
#pragma once

#include "ca/base/buf.h"

#include <openssl/x509.h>

struct issuer_hint {
	char name[256]; /* RFC 2253 */
	char key_id[2 * 64 + 1]; /* of the authority key identifier, hexadecimal; "" */
	char url[512]; /* where the issuer's certificate may be had (RFC 5280 4.2.2.1), printable; "" */
};
void issuer_hint_of(const X509 *cert, struct issuer_hint *out);
/* The same of DER; all "" when it is no certificate. */
void issuer_hint_read(struct view der, struct issuer_hint *out);
