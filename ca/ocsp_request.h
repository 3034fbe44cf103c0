/* ocsp_request.h - what a relying party asks an OCSP responder (RFC 6960 4.1). */
#pragma once

#include "ca/base/crypt.h"

#define OCSP_REQUEST_MAX 8192 /* bytes; by GET RFC 5019 5 expects 255 */
#define OCSP_IDS_MAX 16 /* certificates that one request may ask for */
#define OCSP_ID_MAX 224 /* bytes of one CertID */
#define OCSP_SERIAL_MAX 20 /* RFC 5280 4.1.2.2 */
#define OCSP_NONCE_MAX 128 /* RFC 9654 2.1 */

/* By what the issuer is named. */
enum ocsp_hash {
	OCSP_BY_SHA1, /* what RFC 5019 2.1.1 wants of clients */
	OCSP_BY_SHA256,
	OCSP_BY_OTHER, /* a digest that we do not make, and so an issuer that we do not know */
};
#define OCSP_HASHES OCSP_BY_OTHER

/* One CertID (4.1.1). */
struct ocsp_id {
	enum ocsp_hash hash;
	/* Of the issuer's name and key; 20 bytes by SHA-1, none by another digest. */
	uint8_t name_hash[SHA256_SIZE], key_hash[SHA256_SIZE];
	uint8_t serial[OCSP_SERIAL_MAX]; /* without leading zeroes */
	size_t serial_n;
	/* As it was sent, for the answer has to repeat it. */
	uint8_t der[OCSP_ID_MAX];
	size_t der_n;
};

struct ocsp_request {
	struct ocsp_id ids[OCSP_IDS_MAX];
	size_t n; /* at least one */
	uint8_t nonce[OCSP_NONCE_MAX];
	size_t nonce_n; /* 0: there is none */
};

/*
 * Reads one request, which must be DER to its last byte, of version 1, and without a critical extension
 * but the nonce; a nonce has 1 to 128 bytes (RFC 9654 2.1). A digest that we make has no parameters, or
 * NULL (RFC 5754 2), so that there are four CertIDs of one certificate and no more. Who asks is nobody's business: a name is
 * passed over, and a signature is not judged. ERR_MALFORMED "ocsp-malformed"; ERR_INTERNAL
 * "out-of-memory".
 */
CHECKED enum err ocsp_request_parse(struct view der, struct ocsp_request *out);
