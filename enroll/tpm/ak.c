#include "enroll/tpm/ak.h"

#include "enroll/tpm/roca.h"
#include "enroll/tpm/signature.h"
#include "enroll/tpm/tag.h"
#include "enroll/tpm/tss.h"

#include <stdlib.h>
#include <string.h>

struct ak {
	struct tpm_name name;
	enum key_kind kind;
	uint16_t scheme, hash;
	EVP_PKEY *pkey; /* of an EC key, NULL until somebody asks for it: read and set atomically */
	uint8_t point[POINT_MAX];
	size_t point_n;
	bool is_untagged;
	uint8_t public[2 + sizeof(TPMT_PUBLIC)];
	size_t public_n;
	unsigned holders; /* counted atomically */
};

/* fixedTPM, fixedParent and sensitiveDataOrigin: made in this TPM and not able to leave it, and not
 * derived, for a derived key has an unrestricted twin. restricted: signs only what the TPM made. */
#define AK_MUST                                                                                    \
	(TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN |        \
		TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT)
#define AK_MAY (TPMA_OBJECT_NODA | TPMA_OBJECT_STCLEAR)

static enum err judge_attributes(TPMA_OBJECT attributes)
{
	if ((attributes & AK_MUST) != AK_MUST)
		return refuse(ERR_REJECTED, "ak-attributes", "PROTOCOL keys",
			"the AK lacks the attributes %08x of the %08x it must have (TPM 2.0 Part "
			"2, "
			"8.3)",
			AK_MUST & ~attributes, AK_MUST);
	if ((attributes & ~(TPMA_OBJECT)(AK_MUST | AK_MAY)) != 0)
		return refuse(ERR_REJECTED, "ak-attributes", "PROTOCOL keys",
			"the AK has the attributes %08x, which an AK must not have (TPM 2.0 Part "
			"2, "
			"8.3)",
			attributes & ~(TPMA_OBJECT)(AK_MUST | AK_MAY));
	return OK;
}

static enum err bad_scheme(const char *what)
{
	return refuse(ERR_REJECTED, "ak-scheme", "PROTOCOL keys",
		"%s: wanted RSASSA, RSAPSS or ECDSA with SHA-256 or stronger, symmetric and kdf "
		"NULL",
		what);
}

static enum err judge_scheme(struct ak *ak, const TPMT_PUBLIC *area)
{
	const TPMS_RSA_PARMS *rsa = &area->parameters.rsaDetail;
	const TPMS_ECC_PARMS *ecc = &area->parameters.eccDetail;

	switch (area->type) {
	case TPM2_ALG_RSA:
		if (rsa->symmetric.algorithm != TPM2_ALG_NULL)
			return bad_scheme("the AK names a symmetric algorithm");
		if (rsa->scheme.scheme != TPM2_ALG_RSASSA && rsa->scheme.scheme != TPM2_ALG_RSAPSS)
			return bad_scheme("the AK's scheme is no RSA signature");
		ak->scheme = rsa->scheme.scheme;
		ak->hash = rsa->scheme.details.anySig.hashAlg;
		break;
	case TPM2_ALG_ECC:
		if (ecc->symmetric.algorithm != TPM2_ALG_NULL || ecc->kdf.scheme != TPM2_ALG_NULL)
			return bad_scheme("the AK names a symmetric algorithm or a kdf");
		if (ecc->scheme.scheme != TPM2_ALG_ECDSA)
			return bad_scheme("the AK's scheme is not ECDSA");
		ak->scheme = ecc->scheme.scheme;
		ak->hash = ecc->scheme.details.ecdsa.hashAlg;
		break;
	default:
		return refuse(ERR_REJECTED, "ak-key", "PROTOCOL keys", "neither RSA nor ECC");
	}
	return tpm_digest(ak->hash) == NULL ? bad_scheme("the AK signs with a weak hash") : OK;
}

static enum err judge_key(struct ak *ak, const TPMT_PUBLIC *area)
{
	if (area->type == TPM2_ALG_ECC)
		return public_point_judge(area, &ak->kind, ak->point, &ak->point_n);
	TRY(public_pkey(area, &ak->pkey, &ak->kind));
	if (is_roca(ak->pkey))
		return refuse(ERR_REJECTED, "ak-roca", "CVE-2017-15361",
			"the AK was made by a TPM whose RSA keys can be computed from their public "
			"half: update its firmware, clear it, and make a new AK");
	return OK;
}

static enum err judge_tag(
	struct ak *ak, const TPMT_PUBLIC *area, const char *service, enum ak_tag_rule rule)
{
	uint8_t tag[64];
	size_t n;

	ak->is_untagged = area->authPolicy.size == 0;
	if (ak->is_untagged && rule == AK_TAG_OR_NONE)
		return OK;
	if (ak->is_untagged)
		return refuse(ERR_REJECTED, "ak-not-for-this-service", "PROTOCOL tag",
			"the AK has no tag of \"%s\" or anybody: make a new AK for this service, "
			"or "
			"ask the operator for a policy rule with untagged_aks",
			service);
	TRY(service_tag(area->nameAlg, service, tag, &n));
	if (area->authPolicy.size != n || !secret_equal(area->authPolicy.buffer, tag, n))
		return refuse(ERR_REJECTED, "ak-not-for-this-service", "PROTOCOL tag",
			"the AK's authPolicy is not the tag of \"%s\": make a new AK for this "
			"service",
			service);
	return OK;
}

enum err ak_judge(
	struct view tpm2b_public, const char *service, enum ak_tag_rule rule, struct ak **out)
{
	AUTO(ak_free) struct ak *ak = calloc(1, sizeof(*ak));
	TPMT_PUBLIC area;

	if (ak == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "ak_judge");
	ak->holders = 1;
	TRY(public_read(tpm2b_public, &area));
	TRY(public_name(tpm2b_public, area.nameAlg, &ak->name));
	TRY(judge_attributes(area.objectAttributes));
	TRY(judge_scheme(ak, &area));
	TRY(judge_key(ak, &area));
	TRY(judge_tag(ak, &area, service, rule));
	memcpy(ak->public, tpm2b_public.p, tpm2b_public.n);
	ak->public_n = tpm2b_public.n;
	*out = MOVE(ak);
	return OK;
}

void ak_free(struct ak **ak)
{
	struct ak *held = MOVE(*ak);

	if (held == NULL || __atomic_sub_fetch(&held->holders, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	EVP_PKEY_free(held->pkey);
	free(held);
}

struct ak *ak_share(struct ak *ak)
{
	__atomic_add_fetch(&ak->holders, 1, __ATOMIC_RELAXED);
	return ak;
}

const struct tpm_name *ak_name(const struct ak *ak)
{
	return &ak->name;
}

enum key_kind ak_kind(const struct ak *ak)
{
	return ak->kind;
}

/* An enrollment for certificates of the AK alone never needs it. Several threads may ask at once: the first wins. */
EVP_PKEY *ak_pkey(const struct ak *ak)
{
	EVP_PKEY **place = &((struct ak *)ak)->pkey;
	EVP_PKEY *key = __atomic_load_n(place, __ATOMIC_ACQUIRE), *made;

	if (key != NULL)
		return key;
	made = point_pkey(ak->kind, ak_point(ak));
	if (__atomic_compare_exchange_n(
		    place, &key, made, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return made;
	EVP_PKEY_free(made);
	return key;
}

struct view ak_point(const struct ak *ak)
{
	return (struct view){ak->point, ak->point_n};
}

uint16_t ak_scheme(const struct ak *ak)
{
	return ak->scheme;
}

uint16_t ak_hash(const struct ak *ak)
{
	return ak->hash;
}

bool ak_is_untagged(const struct ak *ak)
{
	return ak->is_untagged;
}

struct view ak_public(const struct ak *ak)
{
	return (struct view){ak->public, ak->public_n};
}

bool ak_signed(const struct ak *ak, struct view message, struct view signature)
{
	const struct signature_wanted by = {ak_pkey(ak), ak->scheme, ak->hash};

	return signature_judge(signature, &by, message) == OK;
}
