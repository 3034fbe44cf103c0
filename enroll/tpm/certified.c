#include "enroll/tpm/certified.h"

#include "ca/base/crypt.h"
#include "ca/base/ossl.h"
#include "enroll/tpm/attest.h"
#include "enroll/tpm/roca.h"

#include <stdlib.h>
#include <string.h>

struct certified {
	struct tpm_name name;
	EVP_PKEY *pkey;
	bool decrypts;
	struct buf public; /* TPM2B_PUBLIC */
	struct buf attest, signature;
};

/*
 * fixedTPM, fixedParent and sensitiveDataOrigin: TPM2_Certify also certifies keys that came from
 * outside, or may leave. sign: it is there to prove who an endpoint is. Who may use it, and how
 * (userWithAuth, noDA, stClear, authPolicy), is its owner's business. Not restricted: such a key
 * signs no handshake, and is an AK. adminWithPolicy is refused with every bit that is not named
 * here, as it is for an AK.
 */
#define KEY_MUST                                                                                   \
	(TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN |        \
		TPMA_OBJECT_SIGN_ENCRYPT)
#define KEY_MAY                                                                                    \
	(TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA | TPMA_OBJECT_STCLEAR | TPMA_OBJECT_DECRYPT)

static enum err judge_attributes(TPMA_OBJECT attributes)
{
	const TPMA_OBJECT odd = attributes & ~(TPMA_OBJECT)(KEY_MUST | KEY_MAY);

	if ((attributes & KEY_MUST) != KEY_MUST)
		return refuse(ERR_REJECTED, "key-attributes", "PROTOCOL certified",
			"the key lacks the attributes %08x of the %08x it must have: it was not "
			"made in this TPM to stay there and to sign (TPM 2.0 Part 2, 8.3)",
			KEY_MUST & ~attributes, KEY_MUST);
	if (odd != 0)
		return refuse(ERR_REJECTED, "key-attributes", "PROTOCOL certified",
			"the key has the attributes %08x, which a certified key must not have "
			"(TPM 2.0 Part 2, 8.3)",
			odd);
	return OK;
}

static enum err bad_scheme(const char *what)
{
	return refuse(ERR_REJECTED, "key-scheme", "PROTOCOL certified",
		"%s: wanted scheme NULL, or RSASSA, RSAPSS or ECDSA with SHA-256 or stronger, "
		"symmetric and kdf NULL",
		what);
}

static enum err judge_scheme(const TPMT_PUBLIC *area)
{
	const TPMS_RSA_PARMS *rsa = &area->parameters.rsaDetail;
	const TPMS_ECC_PARMS *ecc = &area->parameters.eccDetail;
	TPMI_ALG_HASH hash;

	if (area->type == TPM2_ALG_RSA) {
		if (rsa->symmetric.algorithm != TPM2_ALG_NULL)
			return bad_scheme("the key names a symmetric algorithm");
		if (rsa->scheme.scheme == TPM2_ALG_NULL)
			return OK;
		if (rsa->scheme.scheme != TPM2_ALG_RSASSA && rsa->scheme.scheme != TPM2_ALG_RSAPSS)
			return bad_scheme("the key's scheme is no RSA signature");
		hash = rsa->scheme.details.anySig.hashAlg;
	} else {
		if (ecc->symmetric.algorithm != TPM2_ALG_NULL || ecc->kdf.scheme != TPM2_ALG_NULL)
			return bad_scheme("the key names a symmetric algorithm or a kdf");
		if (ecc->scheme.scheme == TPM2_ALG_NULL)
			return OK;
		if (ecc->scheme.scheme != TPM2_ALG_ECDSA)
			return bad_scheme("the key's scheme is not ECDSA");
		hash = ecc->scheme.details.ecdsa.hashAlg;
	}
	return tpm_digest(hash) == NULL ? bad_scheme("the key signs with a weak hash") : OK;
}

static enum err judge_key(struct certified *certified, const TPMT_PUBLIC *area)
{
	enum key_kind kind;

	if (public_pkey(area, &certified->pkey, &kind) != OK)
		return refuse(ERR_REJECTED, "key-key", "PROTOCOL certified", "%s", why()->sentence);
	if (is_roca(certified->pkey))
		return refuse(ERR_REJECTED, "key-roca", "CVE-2017-15361",
			"the key was made by a TPM whose RSA keys can be computed from their "
			"public half: update its firmware, or take a P-256 key");
	return OK;
}

/* What the key is, by its public area alone. */
static enum err judge_public(struct certified *certified)
{
	const struct view public = buf_view(&certified->public);
	TPMT_PUBLIC area;

	TRY(public_read(public, &area));
	if (tpm_digest(area.nameAlg) == NULL)
		return refuse(ERR_REJECTED, "key-name-algorithm", "PROTOCOL certified",
			"nameAlg is %04x: a key's Name is made with SHA-256, SHA-384 or SHA-512, "
			"anything else can be forged",
			area.nameAlg);
	TRY(public_name(public, area.nameAlg, &certified->name));
	TRY(judge_attributes(area.objectAttributes));
	if (area.type != TPM2_ALG_RSA && area.type != TPM2_ALG_ECC)
		return refuse(ERR_REJECTED, "key-key", "PROTOCOL certified", "neither RSA nor ECC");
	TRY(judge_scheme(&area));
	certified->decrypts = (area.objectAttributes & TPMA_OBJECT_DECRYPT) != 0;
	return judge_key(certified, &area);
}

/* Is it this key that the AK spoke of? */
static enum err judge_statement(struct certified *certified, const struct attest_wanted *wanted)
{
	struct view name = {certified->name.bytes, certified->name.n};
	TPMS_ATTEST said;

	TRY(attest_judge(
		buf_view(&certified->attest), buf_view(&certified->signature), wanted, &said));
	if (!view_equal(name, (struct view){said.attested.certify.name.name,
				      said.attested.certify.name.size}))
		return refuse(ERR_REJECTED, "certify-name", "PROTOCOL certified",
			"the AK certified another key, not the one of this public area");
	return OK;
}

static enum err judge(struct certified *certified, const struct attest_wanted *wanted)
{
	TRY(buf_ok(&certified->public));
	TRY(buf_ok(&certified->attest));
	TRY(buf_ok(&certified->signature));
	TRY(judge_public(certified));
	return judge_statement(certified, wanted);
}

static struct certified *new_certified(void)
{
	struct certified *certified = calloc(1, sizeof(*certified));

	if (certified == NULL)
		return NULL;
	certified->public = BUF(4 + sizeof(TPMT_PUBLIC));
	certified->attest = BUF(sizeof(TPMS_ATTEST));
	certified->signature = BUF(sizeof(TPMT_SIGNATURE));
	return certified;
}

/* What cannot be longer than the structure that it is to be, is not kept. */
static enum err take(const struct certify_evidence *evidence, struct certified *certified)
{
	if (evidence->public.n > 2 + sizeof(TPMT_PUBLIC))
		return refuse(ERR_MALFORMED, "tpm-public", "TPM 2.0 Part 2, 12.2.5",
			"not a TPM2B_PUBLIC: too long");
	if (evidence->attest.n > sizeof(TPMS_ATTEST) ||
		evidence->signature.n > sizeof(TPMT_SIGNATURE))
		return refuse(ERR_MALFORMED, "attest", "TPM 2.0 Part 2, 10.12.12",
			"statement or signature is too long");
	buf_add(&certified->public, evidence->public);
	buf_add(&certified->attest, evidence->attest);
	buf_add(&certified->signature, evidence->signature);
	return OK;
}

enum err certified_judge(const struct certify_evidence *evidence, const struct ak *ak,
	struct view extra, struct certified **out)
{
	const struct attest_wanted wanted = {.signer = ak_pkey(ak),
		.scheme = ak_scheme(ak),
		.hash = ak_hash(ak),
		.type = TPM2_ST_ATTEST_CERTIFY,
		.extra = extra};
	AUTO(certified_free) struct certified *certified = new_certified();
	struct certify_evidence bare = *evidence;

	if (certified == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "certified_judge");
	if (bare.attest.n < 2 ||
		((size_t)bare.attest.p[0] << 8 | bare.attest.p[1]) != bare.attest.n - 2)
		return refuse(ERR_MALFORMED, "attest", "TPM 2.0 Part 2, 10.12.13",
			"not a TPM2B_ATTEST: its size does not match");
	bare.attest = (struct view){bare.attest.p + 2, bare.attest.n - 2};
	TRY(take(&bare, certified));
	TRY(judge(certified, &wanted));
	*out = MOVE(certified);
	return OK;
}

enum err certified_carried(const struct certify_evidence *evidence, EVP_PKEY *ak,
	const struct view *extra, struct certified **out)
{
	struct attest_wanted wanted = {
		.signer = ak, .type = TPM2_ST_ATTEST_CERTIFY, .takes_any_extra = extra == NULL};
	AUTO(certified_free) struct certified *certified = new_certified();

	if (certified == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "certified_carried");
	if (extra != NULL)
		wanted.extra = *extra;
	buf_u8(&certified->public, (uint8_t)(evidence->public.n >> 8));
	buf_u8(&certified->public, (uint8_t)evidence->public.n);
	TRY(take(evidence, certified));
	TRY(judge(certified, &wanted));
	*out = MOVE(certified);
	return OK;
}

void certified_free(struct certified **certified)
{
	if (*certified != NULL) {
		EVP_PKEY_free((*certified)->pkey);
		buf_free(&(*certified)->public);
		buf_free(&(*certified)->attest);
		buf_free(&(*certified)->signature);
	}
	free(*certified);
	*certified = NULL;
}

EVP_PKEY *certified_pkey(const struct certified *certified)
{
	return certified->pkey;
}

const struct tpm_name *certified_name(const struct certified *certified)
{
	return &certified->name;
}

bool certified_decrypts(const struct certified *certified)
{
	return certified->decrypts;
}

struct view certified_area(const struct certified *certified)
{
	return (struct view){certified->public.p + 2, certified->public.n - 2};
}

struct view certified_attest(const struct certified *certified)
{
	return buf_view(&certified->attest);
}

struct view certified_signature(const struct certified *certified)
{
	return buf_view(&certified->signature);
}

enum err certify_qualifying(struct view ticket, uint8_t out[static 32])
{
	return SHA256_OF(out, VIEW("endorse/1 certify"), ticket); /* with its NUL */
}
