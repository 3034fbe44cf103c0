#include "tests/softtpm/hash.h"

#include "ca/base/ossl.h"

const EVP_MD *soft_md(TPMI_ALG_HASH alg)
{
	switch (alg) {
	case TPM2_ALG_SHA256:
		return EVP_sha256();
	case TPM2_ALG_SHA384:
		return EVP_sha384();
	case TPM2_ALG_SHA512:
		return EVP_sha512();
	default:
		return NULL;
	}
}

bool soft_hash(TPMI_ALG_HASH alg, const struct view *pieces, size_t n, TPM2B_DIGEST *out)
{
	AUTO(md_ctx_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const EVP_MD *md = soft_md(alg);
	unsigned int size = 0;

	if (ctx == NULL || md == NULL || EVP_DigestInit_ex(ctx, md, NULL) != 1)
		return false;
	for (size_t i = 0; i < n; i++)
		if (pieces[i].n > 0 && EVP_DigestUpdate(ctx, pieces[i].p, pieces[i].n) != 1)
			return false;
	if (EVP_DigestFinal_ex(ctx, out->buffer, &size) != 1)
		return false;
	out->size = (UINT16)size;
	return true;
}
