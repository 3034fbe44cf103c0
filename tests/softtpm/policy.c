#include "tests/softtpm/policy.h"

#include <string.h>
#include <tss2/tss2_mu.h>

/* A policy's digest begins as zeros, as wide as the hash. */
static const uint8_t zeros[64];

static struct view start_of(TPMI_ALG_HASH alg)
{
	return (struct view){zeros, (size_t)EVP_MD_get_size(soft_md(alg))};
}

/* Part 3, 23.4: policyUpdate() with the entity's Name, then with the (empty) policyRef. */
bool soft_policy_a(TPMI_ALG_HASH alg, TPM2B_DIGEST *out)
{
	static const uint8_t command[] = {0x00, 0x00, 0x01, 0x51},
			     name[] = {0x40, 0x00, 0x00, 0x0b};
	TPM2B_DIGEST first;

	return soft_md(alg) != NULL &&
	       SOFT_HASH(alg, &first, start_of(alg), VIEW(command), VIEW(name)) &&
	       SOFT_HASH(alg, out, VIEW_2B(&first, buffer));
}

bool soft_policy_index_name(TPMI_ALG_HASH alg, TPM2B_NAME *out)
{
	TPMS_NV_PUBLIC area = {.nvIndex = alg == TPM2_ALG_SHA256   ? 0x01c07f01
					  : alg == TPM2_ALG_SHA384 ? 0x01c07f02
								   : 0x01c07f03,
		.nameAlg = alg,
		.attributes = TPMA_NV_POLICYWRITE | TPMA_NV_WRITEALL | TPMA_NV_PPREAD |
			      TPMA_NV_OWNERREAD | TPMA_NV_AUTHREAD | TPMA_NV_POLICYREAD |
			      TPMA_NV_NO_DA | TPMA_NV_WRITTEN};
	uint8_t bytes[sizeof(area)];
	TPM2B_DIGEST digest;
	size_t n = 0;

	if (!soft_policy_a(alg, &area.authPolicy))
		return false;
	/* It holds a TPMT_HA. */
	area.dataSize = (UINT16)(2 + area.authPolicy.size);
	if (Tss2_MU_TPMS_NV_PUBLIC_Marshal(&area, bytes, sizeof(bytes), &n) != 0 ||
		!SOFT_HASH(alg, &digest, (struct view){bytes, n}))
		return false;
	out->name[0] = (BYTE)(alg >> 8);
	out->name[1] = (BYTE)alg;
	memcpy(out->name + 2, digest.buffer, digest.size);
	out->size = (UINT16)(2 + digest.size);
	return true;
}

/* Part 3, 23.22: the digest is reset, then policyUpdate() with the index's Name and no policyRef. */
bool soft_policy_c(TPMI_ALG_HASH alg, TPM2B_DIGEST *out)
{
	static const uint8_t command[] = {0x00, 0x00, 0x01, 0x92};
	TPM2B_NAME name;

	return soft_policy_index_name(alg, &name) &&
	       SOFT_HASH(alg, out, start_of(alg), VIEW(command), VIEW_2B(&name, name));
}

/* Part 3, 23.6: the digest is reset, then extended with the command and all digests of the list. */
bool soft_policy_b(TPMI_ALG_HASH alg, TPM2B_DIGEST *out)
{
	static const uint8_t command[] = {0x00, 0x00, 0x01, 0x71};
	TPM2B_DIGEST a, c;

	return soft_policy_a(alg, &a) && soft_policy_c(alg, &c) &&
	       SOFT_HASH(alg, out, start_of(alg), VIEW(command), VIEW_2B(&a, buffer),
		       VIEW_2B(&c, buffer));
}
