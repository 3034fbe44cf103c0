/* area.h - public areas without a key: what an EK or an AK is made from. */
#pragma once

#include "tests/softtpm/hash.h"

/* The templates of the TCG EK Credential Profile 2.x, B.3 and B.4, that are not for SM2. */
enum soft_ek { SOFT_L1, SOFT_L2, SOFT_H1, SOFT_H2, SOFT_H3, SOFT_H4, SOFT_H6, SOFT_H7, SOFT_EKS };

/* What PROTOCOL.md takes as an AK. */
enum soft_ak {
	SOFT_RSASSA_2048,
	SOFT_RSASSA_3072,
	SOFT_RSAPSS_2048,
	SOFT_RSAPSS_3072,
	SOFT_P256,
	SOFT_P384,
	SOFT_P521,
	SOFT_AKS,
};

const char *soft_ek_text(enum soft_ek ek); /* "L-1" */
const char *soft_ak_text(enum soft_ak ak); /* "rsapss2048" */

/* The NV index of the certificate and the persistent handle: EK Credential Profile 2.x, 2.2.1.5. */
TPM2_HANDLE soft_ek_index(enum soft_ek ek);
TPM2_HANDLE soft_ek_handle(enum soft_ek ek);

/* The template, with its own `unique`: zeros (L) or empty (H). */
void soft_ek_area(enum soft_ek ek, TPMT_PUBLIC *out);

/*
 * An AK for one service (PROTOCOL.md, "Keys" and "The tag"), `unique` empty. nameAlg and the hash
 * it signs with are as strong as the key: SHA-256 up to P-256 and RSA-2048, SHA-384, SHA-512.
 */
void soft_ak_area(enum soft_ak ak, const char *service, TPMT_PUBLIC *out);

/* A key for TLS as TPM2_Create makes it: P-256 or RSA-2048, scheme NULL, not restricted. */
void soft_tls_area(bool is_rsa, TPMT_PUBLIC *out);
