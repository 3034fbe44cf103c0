/* tss.h - TPM structures read whole, and keys taken out of them; for the files of this folder only. */
#pragma once

#include "enroll/tpm/public.h"

#include <tss2/tss2_mu.h>

/*
 * Reads a TPM2B_PUBLIC: its size is right, the TPMT_PUBLIC fills it and is equal to its own
 * re-marshalling (TPM 2.0 Part 2, 12.2.4 and 12.2.5). ERR_MALFORMED "tpm-public".
 */
CHECKED enum err public_read(struct view tpm2b, TPMT_PUBLIC *out);

/* Appends the TPM2B_PUBLIC of a public area. */
CHECKED enum err public_write(const TPMT_PUBLIC *area, struct buf *out);

/* nameAlg | H(TPMT_PUBLIC), from the very bytes; ERR_REJECTED "ak-name-algorithm". */
CHECKED enum err public_name(struct view tpm2b, uint16_t name_alg, struct tpm_name *out);

/*
 * The public key of an RSA or ECC area. `*out` is the caller's, for pkey_free(). ERR_REJECTED
 * "ak-key": not a size or curve we know, or the point is not on its curve.
 */
CHECKED enum err public_pkey(const TPMT_PUBLIC *area, EVP_PKEY **out, enum key_kind *kind);

#define POINT_MAX (1 + 2 * 66) /* of P-521 */

/*
 * The point of an ECC area as SEC 1, 2.3.3 has it, uncompressed; its size. 0: a coordinate is wider than the
 * field of that kind's curve. Whether it is on the curve public_point_judge() says.
 */
size_t public_point(const TPMT_PUBLIC *area, enum key_kind kind, uint8_t out[static POINT_MAX]);

/* All that public_pkey() asks of an ECC area, without making the key, which costs ten times that. ERR_REJECTED "ak-key". */
CHECKED enum err public_point_judge(
	const TPMT_PUBLIC *area, enum key_kind *kind, uint8_t point[static POINT_MAX], size_t *n);

/* The key of such a point, for pkey_free(); NULL when there is no memory, or the point is not on the curve. */
EVP_PKEY *point_pkey(enum key_kind kind, struct view point);

/* The curve of a kind of key; TPM2_ECC_NONE for RSA. */
TPMI_ECC_CURVE key_kind_curve(enum key_kind kind);

/* The digest of a TPM hash algorithm: SHA-256, SHA-384, SHA-512; NULL for others. */
const EVP_MD *tpm_digest(uint16_t alg);
