/* hash.h - the hashes of the software TPM, by their TPM_ALG_ID. */
#pragma once

#include "ca/base/buf.h"

#include <openssl/evp.h>
#include <tss2/tss2_tpm2_types.h>

/* SHA-256, SHA-384 or SHA-512; NULL for any other. */
const EVP_MD *soft_md(TPMI_ALG_HASH alg);

/* The digest over the pieces in their order; false for a hash that it does not have. */
bool soft_hash(TPMI_ALG_HASH alg, const struct view *pieces, size_t n, TPM2B_DIGEST *out);
#define SOFT_HASH(alg, out, ...)                                                                   \
	soft_hash(alg, (const struct view[]){__VA_ARGS__},                                         \
		COUNT(((const struct view[]){__VA_ARGS__})), out)

/* The bytes of a TPM2B, without their size. */
#define VIEW_2B(sized, member) ((struct view){(sized)->member, (sized)->size})
