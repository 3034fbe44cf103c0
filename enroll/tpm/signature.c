#include "enroll/tpm/signature.h"

#include "ca/base/ossl.h"
#include "enroll/tpm/tss.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <string.h>

static void ecdsa_sig_free(ECDSA_SIG **pair)
{
	ECDSA_SIG_free(*pair);
}

static enum err read_signature(struct view bytes, TPMT_SIGNATURE *out)
{
	size_t used = 0;

	memset(out, 0, sizeof(*out));
	if (Tss2_MU_TPMT_SIGNATURE_Unmarshal(bytes.p, bytes.n, &used, out) != TSS2_RC_SUCCESS)
		return refuse(
			ERR_MALFORMED, "attest", "TPM 2.0 Part 2, 11.3.4", "not a TPMT_SIGNATURE");
	if (used != bytes.n)
		return refuse(ERR_MALFORMED, "attest", "TPM 2.0 Part 2, 11.3.4",
			"%zu bytes after the TPMT_SIGNATURE", bytes.n - used);
	return OK;
}

/* Appends DER's pair of the TPM's two numbers. */
static bool put_pair(const TPMS_SIGNATURE_ECC *ecc, struct buf *out)
{
	AUTO(ecdsa_sig_free) ECDSA_SIG *pair = ECDSA_SIG_new();
	AUTO(bn_free) BIGNUM *r = BN_bin2bn(ecc->signatureR.buffer, ecc->signatureR.size, NULL);
	AUTO(bn_free) BIGNUM *s = BN_bin2bn(ecc->signatureS.buffer, ecc->signatureS.size, NULL);
	AUTO(ossl_free) uint8_t *der = NULL;
	int n;

	if (pair == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(pair, r, s) != 1)
		return false;
	r = s = NULL; /* the pair's */
	if ((n = i2d_ECDSA_SIG(pair, &der)) <= 0)
		return false;
	buf_add(out, (struct view){der, (size_t)n});
	return buf_ok(out) == OK;
}

static enum err put(const TPMT_SIGNATURE *signature, struct buf *out)
{
	const TPM2B_PUBLIC_KEY_RSA *rsa = &signature->signature.rsassa.sig; /* RSAPSS: the same */

	if (signature->sigAlg != TPM2_ALG_ECDSA)
		buf_add(out, (struct view){rsa->buffer, rsa->size});
	else if (!put_pair(&signature->signature.ecdsa, out))
		return fail(ERR_INTERNAL, "crypto", "cannot write a signature");
	return buf_ok(out);
}

static bool holds(const TPMT_SIGNATURE *signature, EVP_PKEY *signer, struct view message)
{
	AUTO(md_ctx_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	AUTO(buf_free) struct buf bytes = BUF(1024);
	EVP_PKEY_CTX *key = NULL; /* the other's */

	if (signer == NULL ||
		!EVP_PKEY_is_a(signer, signature->sigAlg == TPM2_ALG_ECDSA ? "EC" : "RSA"))
		return false;
	if (ctx == NULL || put(signature, &bytes) != OK ||
		EVP_DigestVerifyInit(
			ctx, &key, tpm_digest(signature->signature.any.hashAlg), NULL, signer) != 1)
		return false;
	if (signature->sigAlg == TPM2_ALG_RSAPSS &&
		(EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_PSS_PADDING) != 1 ||
			EVP_PKEY_CTX_set_rsa_pss_saltlen(key, RSA_PSS_SALTLEN_AUTO) != 1))
		return false;
	return EVP_DigestVerify(ctx, bytes.p, bytes.n, message.p, message.n) == 1;
}

static bool is_signing_scheme(uint16_t scheme)
{
	return scheme == TPM2_ALG_RSASSA || scheme == TPM2_ALG_RSAPSS || scheme == TPM2_ALG_ECDSA;
}

enum err signature_judge(
	struct view signature, const struct signature_wanted *wanted, struct view message)
{
	TPMT_SIGNATURE read;
	uint16_t hash;

	TRY(read_signature(signature, &read));
	if (!is_signing_scheme(read.sigAlg) ||
		(wanted->scheme != 0 && read.sigAlg != wanted->scheme))
		return refuse(ERR_REJECTED, "attest-signature", "PROTOCOL certified",
			"a signature of the scheme %04x, which is not the AK's", read.sigAlg);
	hash = read.signature.any.hashAlg;
	if (tpm_digest(hash) == NULL || (wanted->hash != 0 && hash != wanted->hash))
		return refuse(ERR_REJECTED, "attest-signature", "PROTOCOL certified",
			"a signature with the hash %04x, which is not the AK's", hash);
	if (!holds(&read, wanted->signer, message))
		return refuse(ERR_REJECTED, "attest-signature", "PROTOCOL certified",
			"the AK did not sign this");
	return OK;
}

enum err signature_bytes(struct view signature, struct buf *out)
{
	TPMT_SIGNATURE read;

	TRY(read_signature(signature, &read));
	if (!is_signing_scheme(read.sigAlg))
		return refuse(ERR_MALFORMED, "attest", "TPM 2.0 Part 2, 11.3.4",
			"a signature of the scheme %04x", read.sigAlg);
	return put(&read, out);
}
