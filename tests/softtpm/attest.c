#include "tests/softtpm/attest.h"

#include "ca/base/ossl.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <string.h>
#include <tss2/tss2_mu.h>

const struct soft_moment soft_moment_now = {
	.clock = {.clock = 86400000, .resetCount = 3, .restartCount = 1, .safe = 1},
	.firmware = 0x2019102300163636};

static bool may_attest(const TPMT_PUBLIC *area)
{
	const TPMA_OBJECT wanted = TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT;

	return (area->objectAttributes & wanted) == wanted;
}

/* Scheme and hash lie at the same place for RSA and ECC. */
static TPMI_ALG_HASH hash_of(const TPMT_PUBLIC *area)
{
	return area->type == TPM2_ALG_RSA
		       ? area->parameters.rsaDetail.scheme.details.anySig.hashAlg
		       : area->parameters.eccDetail.scheme.details.anySig.hashAlg;
}

static TPMI_ALG_ASYM_SCHEME scheme_of(const TPMT_PUBLIC *area)
{
	return area->type == TPM2_ALG_RSA ? area->parameters.rsaDetail.scheme.scheme
					  : area->parameters.eccDetail.scheme.scheme;
}

/* Part 1, B.7: the salt of RSAPSS is as long as the digest. */
static bool set_scheme(EVP_PKEY_CTX *ctx, TPMI_ALG_ASYM_SCHEME scheme)
{
	if (scheme == TPM2_ALG_RSAPSS)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
	return true;
}

static void put_rsa(
	TPMI_ALG_ASYM_SCHEME scheme, TPMI_ALG_HASH hash, struct view bytes, TPMT_SIGNATURE *out)
{
	TPMS_SIGNATURE_RSA *rsa = &out->signature.rsassa; /* RSAPSS has the same form */

	*out = (TPMT_SIGNATURE){.sigAlg = scheme};
	rsa->hash = hash;
	rsa->sig.size = (UINT16)bytes.n;
	memcpy(rsa->sig.buffer, bytes.p, bytes.n);
}

/* DER's r and s, each as wide as the field. */
static bool put_ecdsa(TPMI_ALG_HASH hash, int width, struct view der, TPMT_SIGNATURE *out)
{
	TPMS_SIGNATURE_ECC *ecc = &out->signature.ecdsa;
	const uint8_t *p = der.p;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &p, (long)der.n);
	bool done;

	*out = (TPMT_SIGNATURE){.sigAlg = TPM2_ALG_ECDSA};
	ecc->hash = hash;
	ecc->signatureR.size = ecc->signatureS.size = (UINT16)width;
	done = pair != NULL &&
	       BN_bn2binpad(ECDSA_SIG_get0_r(pair), ecc->signatureR.buffer, width) == width &&
	       BN_bn2binpad(ECDSA_SIG_get0_s(pair), ecc->signatureS.buffer, width) == width;
	ECDSA_SIG_free(pair);
	return done;
}

static bool sign(const struct soft_key *signer, struct view bytes, TPMT_SIGNATURE *out)
{
	const TPMT_PUBLIC *area = &signer->public.publicArea;
	AUTO(md_ctx_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *key_ctx = NULL; /* the other's */
	uint8_t signature[512];
	size_t n = sizeof(signature);

	if (ctx == NULL || soft_md(hash_of(area)) == NULL ||
		EVP_DigestSignInit(ctx, &key_ctx, soft_md(hash_of(area)), NULL, signer->pkey) !=
			1 ||
		!set_scheme(key_ctx, scheme_of(area)) ||
		EVP_DigestSign(ctx, signature, &n, bytes.p, bytes.n) != 1)
		return false;
	if (area->type == TPM2_ALG_ECC)
		return put_ecdsa(hash_of(area), (EVP_PKEY_get_bits(signer->pkey) + 7) / 8,
			(struct view){signature, n}, out);
	put_rsa(scheme_of(area), hash_of(area), (struct view){signature, n}, out);
	return true;
}

bool soft_sign(const struct soft_key *signer, const TPMS_ATTEST *attest, struct soft_attest *out)
{
	size_t n = 0;

	*out = (struct soft_attest){0};
	if (Tss2_MU_TPMS_ATTEST_Marshal(attest, out->attested.attestationData,
		    sizeof(out->attested.attestationData), &n) != 0)
		return false;
	out->attested.size = (UINT16)n;
	return sign(signer, (struct view){out->attested.attestationData, n}, &out->signature);
}

/* What every attestation begins with. */
static bool begin(const struct soft_key *signer, TPMI_ST_ATTEST type, struct view extra,
	const struct soft_moment *moment, TPMS_ATTEST *out)
{
	*out = (TPMS_ATTEST){.magic = TPM2_GENERATED_VALUE,
		.type = type,
		.qualifiedSigner = signer->qualified_name,
		.clockInfo = moment->clock,
		.firmwareVersion = moment->firmware};
	if (!may_attest(&signer->public.publicArea) || extra.n > sizeof(TPMT_HA) - 2)
		return false;
	out->extraData.size = (UINT16)extra.n;
	if (extra.n > 0)
		memcpy(out->extraData.buffer, extra.p, extra.n);
	return true;
}

bool soft_certify(const struct soft_key *signer, const struct soft_key *object, struct view extra,
	const struct soft_moment *moment, struct soft_attest *out)
{
	TPMS_ATTEST attest;

	if (!begin(signer, TPM2_ST_ATTEST_CERTIFY, extra, moment, &attest))
		return false;
	attest.attested.certify.name = object->name;
	attest.attested.certify.qualifiedName = object->qualified_name;
	return soft_sign(signer, &attest, out);
}

bool soft_quote(const struct soft_key *signer, const struct soft_pcrs *pcrs, uint32_t selected,
	struct view extra, const struct soft_moment *moment, struct soft_attest *out)
{
	TPMS_ATTEST attest;

	if (!begin(signer, TPM2_ST_ATTEST_QUOTE, extra, moment, &attest))
		return false;
	soft_pcr_selection(selected, &attest.attested.quote.pcrSelect);
	return soft_pcr_digest(pcrs, selected, hash_of(&signer->public.publicArea),
		       &attest.attested.quote.pcrDigest) &&
	       soft_sign(signer, &attest, out);
}

bool soft_hash_sign(const struct soft_key *signer, struct view message, TPMT_SIGNATURE *out)
{
	static const uint8_t generated[] = {0xff, 'T', 'C', 'G'};

	if (!may_attest(&signer->public.publicArea) ||
		(message.n >= sizeof(generated) &&
			memcmp(message.p, generated, sizeof(generated)) == 0))
		return false;
	return sign(signer, message, out);
}

bool soft_signature_bytes(const TPMT_SIGNATURE *signature, struct buf *out)
{
	uint8_t bytes[sizeof(TPMT_SIGNATURE)];
	size_t n = 0;

	if (Tss2_MU_TPMT_SIGNATURE_Marshal(signature, bytes, sizeof(bytes), &n) != 0)
		return false;
	buf_add(out, (struct view){bytes, n});
	return buf_ok(out) == OK;
}

bool soft_attest_bytes(const struct soft_attest *made, struct buf *attest, struct buf *signature)
{
	uint8_t bytes[sizeof(TPM2B_ATTEST)];
	size_t n = 0;

	if (Tss2_MU_TPM2B_ATTEST_Marshal(&made->attested, bytes, sizeof(bytes), &n) != 0)
		return false;
	buf_add(attest, (struct view){bytes, n});
	return buf_ok(attest) == OK && soft_signature_bytes(&made->signature, signature);
}
