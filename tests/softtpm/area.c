#include "tests/softtpm/area.h"

#include "tests/softtpm/policy.h"

#include <string.h>

struct shape {
	const char *name;
	UINT16 rsa_bits; /* 0: a curve */
	TPMI_ECC_CURVE curve;
	TPMI_ALG_HASH hash;
};

static const struct {
	struct shape shape; /* hash: nameAlg */
	UINT16 aes_bits;
	bool is_low;
	TPM2_HANDLE index, handle;
} eks[] = {
	[SOFT_L1] = {{"L-1", 2048, 0, TPM2_ALG_SHA256}, 128, true, 0x01c00002, 0x81010001},
	[SOFT_L2] = {{"L-2", 0, TPM2_ECC_NIST_P256, TPM2_ALG_SHA256}, 128, true, 0x01c0000a,
		0x81010002},
	[SOFT_H1] = {{"H-1", 2048, 0, TPM2_ALG_SHA256}, 128, false, 0x01c00012, 0x81010012},
	[SOFT_H2] = {{"H-2", 0, TPM2_ECC_NIST_P256, TPM2_ALG_SHA256}, 128, false, 0x01c00014,
		0x81010014},
	[SOFT_H3] = {{"H-3", 0, TPM2_ECC_NIST_P384, TPM2_ALG_SHA384}, 256, false, 0x01c00016,
		0x81010016},
	[SOFT_H4] = {{"H-4", 0, TPM2_ECC_NIST_P521, TPM2_ALG_SHA512}, 256, false, 0x01c00018,
		0x81010018},
	[SOFT_H6] = {{"H-6", 3072, 0, TPM2_ALG_SHA384}, 256, false, 0x01c0001c, 0x8101001c},
	[SOFT_H7] = {{"H-7", 4096, 0, TPM2_ALG_SHA384}, 256, false, 0x01c0001e, 0x8101001e},
};

static const struct {
	struct shape shape; /* hash: nameAlg, and what it signs with */
	TPMI_ALG_ASYM_SCHEME scheme;
} aks[] = {
	[SOFT_RSASSA_2048] = {{"rsassa2048", 2048, 0, TPM2_ALG_SHA256}, TPM2_ALG_RSASSA},
	[SOFT_RSASSA_3072] = {{"rsassa3072", 3072, 0, TPM2_ALG_SHA384}, TPM2_ALG_RSASSA},
	[SOFT_RSAPSS_2048] = {{"rsapss2048", 2048, 0, TPM2_ALG_SHA256}, TPM2_ALG_RSAPSS},
	[SOFT_RSAPSS_3072] = {{"rsapss3072", 3072, 0, TPM2_ALG_SHA384}, TPM2_ALG_RSAPSS},
	[SOFT_P256] = {{"p256", 0, TPM2_ECC_NIST_P256, TPM2_ALG_SHA256}, TPM2_ALG_ECDSA},
	[SOFT_P384] = {{"p384", 0, TPM2_ECC_NIST_P384, TPM2_ALG_SHA384}, TPM2_ALG_ECDSA},
	[SOFT_P521] = {{"p521", 0, TPM2_ECC_NIST_P521, TPM2_ALG_SHA512}, TPM2_ALG_ECDSA},
};

const char *soft_ek_text(enum soft_ek ek)
{
	return eks[ek].shape.name;
}

const char *soft_ak_text(enum soft_ak ak)
{
	return aks[ak].shape.name;
}

TPM2_HANDLE soft_ek_index(enum soft_ek ek)
{
	return eks[ek].index;
}

TPM2_HANDLE soft_ek_handle(enum soft_ek ek)
{
	return eks[ek].handle;
}

static void fill(const struct shape *shape, TPMI_ALG_ASYM_SCHEME scheme, TPMT_PUBLIC *out)
{
	*out = (TPMT_PUBLIC){.nameAlg = shape->hash};
	if (shape->rsa_bits > 0) {
		out->type = TPM2_ALG_RSA;
		out->parameters.rsaDetail.keyBits = shape->rsa_bits;
		out->parameters.rsaDetail.scheme.scheme = scheme;
		out->parameters.rsaDetail.scheme.details.anySig.hashAlg = shape->hash;
	} else {
		out->type = TPM2_ALG_ECC;
		out->parameters.eccDetail.curveID = shape->curve;
		out->parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
		out->parameters.eccDetail.scheme.scheme = scheme;
		out->parameters.eccDetail.scheme.details.anySig.hashAlg = shape->hash;
	}
}

static void fill_low_unique(const struct shape *shape, TPMT_PUBLIC *out)
{
	if (shape->rsa_bits > 0) {
		out->unique.rsa.size = shape->rsa_bits / 8;
	} else {
		out->unique.ecc.x.size = 32;
		out->unique.ecc.y.size = 32;
	}
}

void soft_ek_area(enum soft_ek ek, TPMT_PUBLIC *out)
{
	const struct shape *shape = &eks[ek].shape;
	TPMT_SYM_DEF_OBJECT *aes = &out->parameters.asymDetail.symmetric;

	fill(shape, TPM2_ALG_NULL, out);
	out->objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
				TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_ADMINWITHPOLICY |
				TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
	aes->algorithm = TPM2_ALG_AES;
	aes->keyBits.aes = eks[ek].aes_bits;
	aes->mode.aes = TPM2_ALG_CFB;
	if (eks[ek].is_low) {
		soft_policy_a(shape->hash, &out->authPolicy);
		fill_low_unique(shape, out);
	} else {
		out->objectAttributes |= TPMA_OBJECT_USERWITHAUTH;
		soft_policy_b(shape->hash, &out->authPolicy);
	}
}

void soft_ak_area(enum soft_ak ak, const char *service, TPMT_PUBLIC *out)
{
	fill(&aks[ak].shape, aks[ak].scheme, out);
	out->objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
				TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
				TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT;
	out->parameters.asymDetail.symmetric.algorithm = TPM2_ALG_NULL;
	SOFT_HASH(aks[ak].shape.hash, &out->authPolicy, VIEW("endorse/1 ak"), view_str(service));
}

void soft_tls_area(bool is_rsa, TPMT_PUBLIC *out)
{
	*out = (TPMT_PUBLIC){.type = is_rsa ? TPM2_ALG_RSA : TPM2_ALG_ECC,
		.nameAlg = TPM2_ALG_SHA256,
		.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
				    TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
				    TPMA_OBJECT_SIGN_ENCRYPT};
	out->parameters.asymDetail.symmetric.algorithm = TPM2_ALG_NULL;
	out->parameters.asymDetail.scheme.scheme = TPM2_ALG_NULL;
	if (is_rsa) {
		out->parameters.rsaDetail.keyBits = 2048;
	} else {
		out->parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
		out->parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
	}
}
