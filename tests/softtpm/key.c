#include "tests/softtpm/key.h"

#include "ca/base/ossl.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>
#include <tss2/tss2_mu.h>

OSSL_FREE(param_bld_free, OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)
OSSL_FREE(params_free, OSSL_PARAM, OSSL_PARAM_free)

static const struct {
	TPMI_ECC_CURVE id;
	const char *name, *group;
	int width;
} curves[] = {
	{TPM2_ECC_NIST_P256, "P-256", "prime256v1", 32},
	{TPM2_ECC_NIST_P384, "P-384", "secp384r1", 48},
	{TPM2_ECC_NIST_P521, "P-521", "secp521r1", 66},
};

EVP_PKEY *soft_pkey(const TPMT_PUBLIC *area)
{
	if (area->type == TPM2_ALG_RSA)
		return EVP_RSA_gen((size_t)area->parameters.rsaDetail.keyBits);
	for (size_t i = 0; i < COUNT(curves); i++)
		if (curves[i].id == area->parameters.eccDetail.curveID)
			return EVP_EC_gen(curves[i].name);
	return NULL;
}

static bool put_number(EVP_PKEY *pkey, const char *name, int width, UINT16 *size, BYTE *out)
{
	AUTO(bn_free) BIGNUM *n = NULL;

	if (EVP_PKEY_get_bn_param(pkey, name, &n) != 1 || BN_bn2binpad(n, out, width) != width)
		return false;
	*size = (UINT16)width;
	return true;
}

static bool put_rsa(EVP_PKEY *pkey, TPMT_PUBLIC *area)
{
	int bits = area->parameters.rsaDetail.keyBits;

	return EVP_PKEY_is_a(pkey, "RSA") && EVP_PKEY_get_bits(pkey) == bits &&
	       put_number(pkey, OSSL_PKEY_PARAM_RSA_N, bits / 8, &area->unique.rsa.size,
		       area->unique.rsa.buffer);
}

static bool put_point(EVP_PKEY *pkey, TPMT_PUBLIC *area)
{
	TPMS_ECC_POINT *point = &area->unique.ecc;
	char group[64];

	if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) != 1)
		return false;
	for (size_t i = 0; i < COUNT(curves); i++)
		if (curves[i].id == area->parameters.eccDetail.curveID)
			return strcmp(group, curves[i].group) == 0 &&
			       put_number(pkey, OSSL_PKEY_PARAM_EC_PUB_X, curves[i].width,
				       &point->x.size, point->x.buffer) &&
			       put_number(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, curves[i].width,
				       &point->y.size, point->y.buffer);
	return false;
}

/* nameAlg | H(bytes) */
static bool put_name(TPMI_ALG_HASH alg, struct view before, struct view bytes, TPM2B_NAME *out)
{
	TPM2B_DIGEST digest;

	if (!SOFT_HASH(alg, &digest, before, bytes))
		return false;
	out->name[0] = (BYTE)(alg >> 8);
	out->name[1] = (BYTE)alg;
	memcpy(out->name + 2, digest.buffer, digest.size);
	out->size = (UINT16)(2 + digest.size);
	return true;
}

static bool put_names(struct soft_key *key)
{
	static const uint8_t endorsement[] = {0x40, 0x00, 0x00, 0x0b};
	const TPMT_PUBLIC *area = &key->public.publicArea;
	uint8_t bytes[sizeof(*area)];
	size_t n = 0;

	return Tss2_MU_TPMT_PUBLIC_Marshal(area, bytes, sizeof(bytes), &n) == 0 &&
	       put_name(area->nameAlg, (struct view){NULL, 0}, (struct view){bytes, n},
		       &key->name) &&
	       put_name(area->nameAlg, VIEW(endorsement), VIEW_2B(&key->name, name),
		       &key->qualified_name);
}

bool soft_key_make(const TPMT_PUBLIC *area, EVP_PKEY *pkey, struct soft_key *out)
{
	TPMT_PUBLIC *own = &out->public.publicArea;

	*out = (struct soft_key){.public.publicArea = *area};
	if (pkey == NULL)
		out->pkey = soft_pkey(area);
	else if (EVP_PKEY_up_ref(pkey) == 1)
		out->pkey = pkey;
	if (out->pkey == NULL)
		return false;
	memset(&own->unique, 0, sizeof(own->unique));
	return (own->type == TPM2_ALG_RSA ? put_rsa(out->pkey, own) : put_point(out->pkey, own)) &&
	       put_names(out);
}

bool soft_key_know(const TPMT_PUBLIC *area, struct soft_key *out)
{
	*out = (struct soft_key){.public.publicArea = *area};
	return put_names(out);
}

/* 04 | x | y */
static struct view encode_point(const TPMS_ECC_POINT *point, uint8_t out[static 1 + 2 * 66])
{
	out[0] = 4;
	memcpy(out + 1, point->x.buffer, point->x.size);
	memcpy(out + 1 + point->x.size, point->y.buffer, point->y.size);
	return (struct view){out, 1u + point->x.size + point->y.size};
}

static const char *group_of(const TPMT_PUBLIC *area)
{
	for (size_t i = 0; i < COUNT(curves); i++)
		if (curves[i].id == area->parameters.eccDetail.curveID)
			return curves[i].group;
	return "";
}

bool soft_key_scalar(struct soft_key *key, struct view scalar)
{
	const TPMT_PUBLIC *area = &key->public.publicArea;
	AUTO(param_bld_free) OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	AUTO(params_free) OSSL_PARAM *params = NULL;
	AUTO(pkey_ctx_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	AUTO(bn_free) BIGNUM *d = BN_bin2bn(scalar.p, (int)scalar.n, NULL);
	uint8_t bytes[1 + 2 * 66];
	const struct view point = encode_point(&area->unique.ecc, bytes);

	return build != NULL && ctx != NULL && d != NULL &&
	       OSSL_PARAM_BLD_push_utf8_string(
		       build, OSSL_PKEY_PARAM_GROUP_NAME, group_of(area), 0) == 1 &&
	       OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, d) == 1 &&
	       OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point.p, point.n) ==
		       1 &&
	       (params = OSSL_PARAM_BLD_to_param(build)) != NULL &&
	       EVP_PKEY_fromdata_init(ctx) == 1 &&
	       EVP_PKEY_fromdata(ctx, &key->pkey, EVP_PKEY_KEYPAIR, params) == 1;
}

void soft_key_free(struct soft_key *key)
{
	EVP_PKEY_free(key->pkey);
	*key = (struct soft_key){0};
}

bool soft_ek_make(enum soft_ek ek, EVP_PKEY *pkey, struct soft_key *out)
{
	TPMT_PUBLIC area;

	soft_ek_area(ek, &area);
	return soft_key_make(&area, pkey, out);
}

bool soft_ak_make(enum soft_ak ak, const char *service, EVP_PKEY *pkey, struct soft_key *out)
{
	TPMT_PUBLIC area;

	soft_ak_area(ak, service, &area);
	return soft_key_make(&area, pkey, out);
}

bool soft_key_public(const struct soft_key *key, struct buf *out)
{
	uint8_t bytes[sizeof(key->public)];
	size_t n = 0;

	if (Tss2_MU_TPM2B_PUBLIC_Marshal(&key->public, bytes, sizeof(bytes), &n) != 0)
		return false;
	buf_add(out, (struct view){bytes, n});
	return !out->failed;
}
