#include "enroll/tpm/tss.h"

#include "ca/base/algorithm.h"
#include "ca/base/crypt.h"
#include "ca/base/ossl.h"
#include "enroll/tpm/numbers.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <string.h>

static const TPMI_ECC_CURVE curves[KEY_KINDS] = {
	[KEY_P256] = TPM2_ECC_NIST_P256,
	[KEY_P384] = TPM2_ECC_NIST_P384,
	[KEY_P521] = TPM2_ECC_NIST_P521,
};

TPMI_ECC_CURVE key_kind_curve(enum key_kind kind)
{
	return curves[kind];
}

const EVP_MD *tpm_digest(uint16_t alg)
{
	switch (alg) {
	case TPM2_ALG_SHA256:
		return algorithm_sha256();
	case TPM2_ALG_SHA384:
		return algorithm_sha384();
	case TPM2_ALG_SHA512:
		return algorithm_sha512();
	default:
		return NULL;
	}
}

static enum err bad_public(const char *what)
{
	return refuse(ERR_MALFORMED, "tpm-public", "TPM 2.0 Part 2, 12.2.5",
		"not a TPM2B_PUBLIC: %s", what);
}

enum err public_read(struct view tpm2b, TPMT_PUBLIC *out)
{
	uint8_t again[sizeof(TPMT_PUBLIC)];
	size_t used = 0, written = 0;
	struct view area;

	if (tpm2b.n < 2 || ((size_t)tpm2b.p[0] << 8 | tpm2b.p[1]) != tpm2b.n - 2)
		return bad_public("its size does not match");
	area = (struct view){tpm2b.p + 2, tpm2b.n - 2};
	memset(out, 0, sizeof(*out));
	if (Tss2_MU_TPMT_PUBLIC_Unmarshal(area.p, area.n, &used, out) != TSS2_RC_SUCCESS)
		return bad_public("the public area cannot be read");
	if (used != area.n)
		return bad_public("bytes after the public area");
	if (Tss2_MU_TPMT_PUBLIC_Marshal(out, again, sizeof(again), &written) != TSS2_RC_SUCCESS ||
		!view_equal(area, (struct view){again, written}))
		return bad_public("not in its canonical form");
	return OK;
}

enum err public_write(const TPMT_PUBLIC *area, struct buf *out)
{
	uint8_t bytes[2 + sizeof(TPMT_PUBLIC)];
	size_t n = 2;

	if (Tss2_MU_TPMT_PUBLIC_Marshal(area, bytes, sizeof(bytes), &n) != TSS2_RC_SUCCESS)
		return fail(ERR_INTERNAL, "tpm-marshal", "cannot marshal a TPMT_PUBLIC");
	bytes[0] = (uint8_t)((n - 2) >> 8);
	bytes[1] = (uint8_t)(n - 2);
	buf_add(out, (struct view){bytes, n});
	return buf_ok(out);
}

enum err public_name(struct view tpm2b, uint16_t name_alg, struct tpm_name *out)
{
	const EVP_MD *md = tpm_digest(name_alg);
	unsigned int size = 0;

	if (md == NULL)
		return refuse(ERR_REJECTED, "ak-name-algorithm", "PROTOCOL keys",
			"nameAlg is %04x: a key's Name is made with SHA-256, SHA-384 or SHA-512, "
			"anything else can be forged",
			name_alg);
	out->bytes[0] = (uint8_t)(name_alg >> 8);
	out->bytes[1] = (uint8_t)name_alg;
	if (EVP_Digest(tpm2b.p + 2, tpm2b.n - 2, out->bytes + 2, &size, md, NULL) != 1)
		return fail(ERR_INTERNAL, "crypto", "OpenSSL failed in a digest");
	out->n = 2 + size;
	return OK;
}

static void param_bld_free(OSSL_PARAM_BLD **bld)
{
	OSSL_PARAM_BLD_free(*bld);
}

static void param_free(OSSL_PARAM **params)
{
	OSSL_PARAM_free(*params);
}

static EVP_PKEY *pkey_from(const char *type, OSSL_PARAM_BLD *bld)
{
	AUTO(pkey_ctx_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	AUTO(param_free) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY *key = NULL;

	if (ctx == NULL || params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return NULL;
	return key;
}

static EVP_PKEY *rsa_pkey(const BIGNUM *n, const BIGNUM *e)
{
	AUTO(param_bld_free) OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();

	if (bld == NULL || OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
		OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) != 1)
		return NULL;
	return pkey_from("RSA", bld);
}

/* A curve takes longer to make than a key; `bare` are keys without a point. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_PKEY *bare[KEY_KINDS];
static EC_GROUP *groups[KEY_KINDS];

static EVP_PKEY *make_bare(const char *curve)
{
	AUTO(pkey_ctx_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)curve, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *key = NULL;

	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEY_PARAMETERS, params) != 1)
		return NULL;
	return key;
}

static void make_curves(void)
{
	for (enum key_kind i = 0; i < KEY_KINDS; i++)
		if (key_kind_group(i) != NULL) {
			bare[i] = make_bare(key_kind_group(i));
			groups[i] = EC_GROUP_new_by_curve_name(OBJ_sn2nid(key_kind_group(i)));
		}
}

EVP_PKEY *point_pkey(enum key_kind kind, struct view point)
{
	AUTO(pkey_free) EVP_PKEY *key = NULL;

	pthread_once(&once, make_curves);
	if (bare[kind] == NULL || (key = EVP_PKEY_dup(bare[kind])) == NULL ||
		EVP_PKEY_set1_encoded_public_key(key, point.p, point.n) != 1)
		return NULL;
	return MOVE(key);
}

static bool is_on_curve(enum key_kind kind, const uint8_t *point, size_t n)
{
	EC_POINT *read;
	bool is_on;

	pthread_once(&once, make_curves);
	read = groups[kind] == NULL ? NULL : EC_POINT_new(groups[kind]);
	is_on = read != NULL && EC_POINT_oct2point(groups[kind], read, point, n, NULL) == 1;
	EC_POINT_free(read);
	if (!is_on)
		ERR_clear_error();
	return is_on;
}

static enum err bad_key(const char *what)
{
	return refuse(ERR_REJECTED, "ak-key", "PROTOCOL keys",
		"%s: wanted RSA of 2048, 3072 or 4096 bits with exponent 65537, or a point on "
		"P-256, P-384 or P-521",
		what);
}

static enum err rsa_of(const TPMT_PUBLIC *area, EVP_PKEY **out, enum key_kind *kind)
{
	const TPM2B_PUBLIC_KEY_RSA *unique = &area->unique.rsa;
	uint32_t exponent = area->parameters.rsaDetail.exponent;
	AUTO(bn_free) BIGNUM *n = BN_bin2bn(unique->buffer, unique->size, NULL);
	AUTO(bn_free) BIGNUM *e = BN_new();
	int bits = area->parameters.rsaDetail.keyBits;

	if (n == NULL || e == NULL || BN_set_word(e, RSA_F4) != 1)
		return fail(ERR_INTERNAL, "out-of-memory", "public_pkey");
	if (exponent != 0 && exponent != RSA_F4)
		return bad_key("another RSA exponent");
	if (BN_num_bits(n) != bits || (int)unique->size * 8 != bits || !BN_is_odd(n))
		return bad_key("a modulus of another size");
	for (enum key_kind i = 0; i < KEY_KINDS; i++) {
		if (key_kind_group(i) != NULL || key_kind_bits(i) != bits)
			continue;
		*kind = i;
		if ((*out = rsa_pkey(n, e)) == NULL)
			return bad_key("not a usable RSA key");
		return OK;
	}
	return bad_key("an RSA key of another size");
}

static bool pad_left(const TPM2B_ECC_PARAMETER *coordinate, uint8_t *out, size_t width)
{
	if (coordinate->size > width)
		return false;
	memset(out, 0, width - coordinate->size);
	memcpy(out + width - coordinate->size, coordinate->buffer, coordinate->size);
	return true;
}

size_t public_point(const TPMT_PUBLIC *area, enum key_kind kind, uint8_t out[static POINT_MAX])
{
	const size_t width = ((size_t)key_kind_bits(kind) + 7) / 8;

	out[0] = 0x04;
	if (!pad_left(&area->unique.ecc.x, out + 1, width) ||
		!pad_left(&area->unique.ecc.y, out + 1 + width, width))
		return 0;
	return 1 + 2 * width;
}

enum err public_point_judge(
	const TPMT_PUBLIC *area, enum key_kind *kind, uint8_t point[static POINT_MAX], size_t *n)
{
	for (enum key_kind i = 0; i < KEY_KINDS; i++) {
		if (key_kind_group(i) == NULL || curves[i] != area->parameters.eccDetail.curveID)
			continue;
		if ((*n = public_point(area, i, point)) == 0)
			return bad_key("a coordinate wider than the field");
		*kind = i;
		return is_on_curve(i, point, *n) ? OK : bad_key("a point that is not on its curve");
	}
	return bad_key("another curve");
}

static enum err ec_of(const TPMT_PUBLIC *area, EVP_PKEY **out, enum key_kind *kind)
{
	uint8_t point[POINT_MAX];
	size_t n;

	TRY(public_point_judge(area, kind, point, &n));
	if ((*out = point_pkey(*kind, (struct view){point, n})) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "public_pkey");
	return OK;
}

enum err public_pkey(const TPMT_PUBLIC *area, EVP_PKEY **out, enum key_kind *kind)
{
	switch (area->type) {
	case TPM2_ALG_RSA:
		return rsa_of(area, out, kind);
	case TPM2_ALG_ECC:
		return ec_of(area, out, kind);
	default:
		return bad_key("neither RSA nor ECC");
	}
}

enum err spki_sha256(EVP_PKEY *key, uint8_t out[static 32])
{
	struct key_numbers numbers;

	TRY(key_numbers_of(key, &numbers));
	return key_numbers_sha256(&numbers, out);
}

enum err public_key_read(struct view tpm2b, EVP_PKEY **out)
{
	enum key_kind kind;
	TPMT_PUBLIC area;

	TRY(public_read(tpm2b, &area));
	return public_pkey(&area, out, &kind);
}
