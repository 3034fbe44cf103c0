#include "tests/unit/tpm/area.h"

#include "ca/base/ossl.h"
#include "tests/unit/check.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

static const struct {
	int bits; /* of an RSA key; 0: a curve */
	const char *curve;
	TPMI_ECC_CURVE tpm_curve;
} kinds[] = {
	[KEY_RSA_2048] = {2048, NULL, 0},
	[KEY_RSA_3072] = {3072, NULL, 0},
	[KEY_RSA_4096] = {4096, NULL, 0},
	[KEY_P256] = {0, "P-256", TPM2_ECC_NIST_P256},
	[KEY_P384] = {0, "P-384", TPM2_ECC_NIST_P384},
	[KEY_P521] = {0, "P-521", TPM2_ECC_NIST_P521},
};

EVP_PKEY *key_pair(enum key_kind kind)
{
	EVP_PKEY *key = kinds[kind].bits > 0 ? EVP_RSA_gen((unsigned)kinds[kind].bits)
					     : EVP_EC_gen(kinds[kind].curve);

	assert_non_null(key);
	return key;
}

EVP_PKEY *rsa_of_modulus(const BIGNUM *n, unsigned long exponent)
{
	AUTO(pkey_ctx_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	AUTO(bn_free) BIGNUM *e = BN_new();
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params;
	EVP_PKEY *key = NULL;

	assert_int_equal(1, BN_set_word(e, exponent));
	assert_int_equal(1, OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n));
	assert_int_equal(1, OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e));
	params = OSSL_PARAM_BLD_to_param(bld);
	assert_int_equal(1, EVP_PKEY_fromdata_init(ctx));
	assert_int_equal(1, EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params));
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	return key;
}

EVP_PKEY *rsa_of_bits(int bits, unsigned long exponent)
{
	AUTO(bn_free) BIGNUM *n = BN_new();

	assert_int_equal(1, BN_rand(n, bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD));
	return rsa_of_modulus(n, exponent);
}

EVP_PKEY *key_public_half(enum key_kind kind)
{
	return kinds[kind].bits > 0 ? rsa_of_bits(kinds[kind].bits, RSA_F4) : key_pair(kind);
}

const EVP_MD *digest_of(uint16_t alg)
{
	return alg == TPM2_ALG_SHA256	? EVP_sha256()
	       : alg == TPM2_ALG_SHA384 ? EVP_sha384()
	       : alg == TPM2_ALG_SHA512 ? EVP_sha512()
					: EVP_sha1();
}

void area_tag(TPMT_PUBLIC *area, const char *service)
{
	AUTO(md_ctx_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned int n = 0;

	assert_int_equal(1, EVP_DigestInit_ex(ctx, digest_of(area->nameAlg), NULL));
	assert_int_equal(1, EVP_DigestUpdate(ctx, "endorse/1 ak\0", 13));
	assert_int_equal(1, EVP_DigestUpdate(ctx, service, strlen(service)));
	assert_int_equal(1, EVP_DigestFinal_ex(ctx, area->authPolicy.buffer, &n));
	area->authPolicy.size = (UINT16)n;
}

static void put_number(EVP_PKEY *key, const char *name, int width, UINT16 *size, BYTE *out)
{
	AUTO(bn_free) BIGNUM *n = NULL;

	assert_int_equal(1, EVP_PKEY_get_bn_param(key, name, &n));
	assert_int_equal(width, BN_bn2binpad(n, out, width));
	*size = (UINT16)width;
}

/* Type, size or curve, and the key itself. */
static void put_key(EVP_PKEY *key, TPMT_PUBLIC *area)
{
	TPMS_ECC_POINT *point = &area->unique.ecc;
	int bits = EVP_PKEY_get_bits(key), width = (bits + 7) / 8;

	if (EVP_PKEY_is_a(key, "RSA")) {
		area->type = TPM2_ALG_RSA;
		area->parameters.rsaDetail.keyBits = (UINT16)bits;
		put_number(key, OSSL_PKEY_PARAM_RSA_N, width, &area->unique.rsa.size,
			area->unique.rsa.buffer);
		return;
	}
	area->type = TPM2_ALG_ECC;
	area->parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
	for (size_t i = KEY_P256; i <= KEY_P521; i++)
		if (strtol(kinds[i].curve + 2, NULL, 10) == bits)
			area->parameters.eccDetail.curveID = kinds[i].tpm_curve;
	put_number(key, OSSL_PKEY_PARAM_EC_PUB_X, width, &point->x.size, point->x.buffer);
	put_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, width, &point->y.size, point->y.buffer);
}

void area_of_ak_key(EVP_PKEY *key, TPMT_PUBLIC *area)
{
	*area = (TPMT_PUBLIC){.nameAlg = TPM2_ALG_SHA256};
	area->objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
				 TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
				 TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT;
	area_tag(area, SERVICE);
	put_key(key, area);
	area->parameters.asymDetail.symmetric.algorithm = TPM2_ALG_NULL;
	if (area->type == TPM2_ALG_RSA) {
		area->parameters.rsaDetail.scheme.scheme = TPM2_ALG_RSASSA;
		area->parameters.rsaDetail.scheme.details.rsassa.hashAlg = TPM2_ALG_SHA256;
	} else {
		area->parameters.eccDetail.scheme.scheme = TPM2_ALG_ECDSA;
		area->parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
	}
}

void area_of_ak(enum key_kind kind, TPMT_PUBLIC *area)
{
	AUTO(pkey_free) EVP_PKEY *key = key_public_half(kind);

	area_of_ak_key(key, area);
}

void area_symmetric(TPMT_SYM_DEF_OBJECT *symmetric)
{
	symmetric->algorithm = TPM2_ALG_AES;
	symmetric->keyBits.aes = 128;
	symmetric->mode.aes = TPM2_ALG_CFB;
}

void area_of_ek(EVP_PKEY *key, uint16_t name_alg, uint16_t aes_bits, TPMT_PUBLIC *area)
{
	*area = (TPMT_PUBLIC){.nameAlg = name_alg};
	area->objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
				 TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
				 TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
	put_key(key, area);
	area_symmetric(&area->parameters.asymDetail.symmetric);
	area->parameters.asymDetail.symmetric.keyBits.aes = aes_bits;
	if (area->type == TPM2_ALG_RSA)
		area->parameters.rsaDetail.scheme.scheme = TPM2_ALG_NULL;
	else
		area->parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL;
}

void area_add(const TPMT_PUBLIC *area, struct buf *out)
{
	TPM2B_PUBLIC whole = {.publicArea = *area};
	uint8_t bytes[sizeof(whole)];
	size_t n = 0;

	assert_int_equal(0, Tss2_MU_TPM2B_PUBLIC_Marshal(&whole, bytes, sizeof(bytes), &n));
	buf_add(out, (struct view){bytes, n});
	assert_ok(buf_ok(out));
}
