/* policy.h - the policies that EKs are made with, computed as a TPM would, from the commands. */
#pragma once

#include "tests/softtpm/hash.h"

/*
 * TCG EK Credential Profile 2.x, B.6, each with one of the three hashes; false for another.
 * A: TPM2_PolicySecret(TPM_RH_ENDORSEMENT). C: TPM2_PolicyAuthorizeNV with the index that the
 * profile reserves for the hash. B: TPM2_PolicyOR(A, C).
 */
bool soft_policy_a(TPMI_ALG_HASH alg, TPM2B_DIGEST *out);
bool soft_policy_b(TPMI_ALG_HASH alg, TPM2B_DIGEST *out);
bool soft_policy_c(TPMI_ALG_HASH alg, TPM2B_DIGEST *out);

/* The Name of that NV index, written and with policy A (Part 1, 16). */
bool soft_policy_index_name(TPMI_ALG_HASH alg, TPM2B_NAME *out);
