#include "enroll/tpm/ekpublic.h"

#include "ca/base/ossl.h"
#include "enroll/tpm/tss.h"

#include <openssl/core_names.h>
#include <stdlib.h>
#include <string.h>

const struct ek_template ek_templates[] = {
	{"L-1", KEY_RSA_2048, TPM2_ALG_SHA256, 128, 0x01c00002, 0x81010001, true},
	{"L-2", KEY_P256, TPM2_ALG_SHA256, 128, 0x01c0000a, 0x81010002, true},
	{"H-3", KEY_P384, TPM2_ALG_SHA384, 256, 0x01c00016, 0x81010016, false},
	{0},
};

/* PolicyA: TPM2_PolicySecret(TPM_RH_ENDORSEMENT) with SHA-256. EK Credential Profile 2.5, B.3.1. */
static const uint8_t policy_a_sha256[] = {0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a,
	0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24, 0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64,
	0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa};

/* PolicyB with SHA-384: PolicyA, or what an NV index says. EK Credential Profile 2.5, B.6.2. */
static const uint8_t policy_b_sha384[] = {0xb2, 0x6e, 0x7d, 0x28, 0xd1, 0x1a, 0x50, 0xbc, 0x53,
	0xd8, 0x82, 0xbc, 0xf5, 0xfd, 0x3a, 0x1a, 0x07, 0x41, 0x48, 0xbb, 0x35, 0xd3, 0xb4, 0xe4,
	0xcb, 0x1c, 0x0a, 0xd9, 0xbd, 0xe4, 0x19, 0xca, 0xcb, 0x47, 0xba, 0x09, 0x69, 0x96, 0x46,
	0x15, 0x0f, 0x9f, 0xc0, 0x00, 0xf3, 0xf8, 0x0e, 0x12};

const struct ek_template *ek_template_of(enum key_kind kind)
{
	for (const struct ek_template *t = ek_templates; t->name != NULL; t++)
		if (t->kind == kind)
			return t;
	return NULL;
}

/* Everything but the key: what a template fixes. */
static void fill(const struct ek_template *tmpl, TPMT_PUBLIC *area)
{
	TPMT_SYM_DEF_OBJECT aes = {.algorithm = TPM2_ALG_AES,
		.keyBits.aes = tmpl->symmetric_bits,
		.mode.aes = TPM2_ALG_CFB};

	memset(area, 0, sizeof(*area));
	area->nameAlg = tmpl->name_alg;
	area->objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
				 TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_ADMINWITHPOLICY |
				 TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
	if (tmpl->needs_policy) {
		area->authPolicy.size = sizeof(policy_a_sha256);
		memcpy(area->authPolicy.buffer, policy_a_sha256, sizeof(policy_a_sha256));
	} else {
		area->objectAttributes |= TPMA_OBJECT_USERWITHAUTH;
		area->authPolicy.size = sizeof(policy_b_sha384);
		memcpy(area->authPolicy.buffer, policy_b_sha384, sizeof(policy_b_sha384));
	}
	if (tmpl->kind == KEY_RSA_2048) {
		area->type = TPM2_ALG_RSA;
		area->parameters.rsaDetail.symmetric = aes;
		area->parameters.rsaDetail.scheme.scheme = TPM2_ALG_NULL;
		area->parameters.rsaDetail.keyBits = 2048;
	} else {
		area->type = TPM2_ALG_ECC;
		area->parameters.eccDetail.symmetric = aes;
		area->parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL;
		area->parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
		area->parameters.eccDetail.curveID =
			tmpl->kind == KEY_P256 ? TPM2_ECC_NIST_P256 : TPM2_ECC_NIST_P384;
	}
}

/* `unique` of the L templates: zeros as wide as the key (B.3.3, B.3.4); of the H ones: empty. */
static void fill_unique(const struct ek_template *tmpl, TPMT_PUBLIC *area)
{
	if (tmpl->kind == KEY_RSA_2048) {
		area->unique.rsa.size = 256;
	} else if (tmpl->kind == KEY_P256) {
		area->unique.ecc.x.size = 32;
		area->unique.ecc.y.size = 32;
	}
}

static bool put_number(EVP_PKEY *key, const char *name, size_t width, UINT16 *size, BYTE *out)
{
	AUTO(bn_free) BIGNUM *n = NULL;

	if (EVP_PKEY_get_bn_param(key, name, &n) != 1 || BN_bn2binpad(n, out, (int)width) < 0)
		return false;
	*size = (UINT16)width;
	return true;
}

static bool fill_key(const struct ek_template *tmpl, EVP_PKEY *key, TPMT_PUBLIC *area)
{
	TPMS_ECC_POINT *point = &area->unique.ecc;
	size_t width = tmpl->kind == KEY_P256 ? 32 : 48;

	if (tmpl->kind == KEY_RSA_2048)
		return put_number(key, OSSL_PKEY_PARAM_RSA_N, 256, &area->unique.rsa.size,
			area->unique.rsa.buffer);
	return put_number(key, OSSL_PKEY_PARAM_EC_PUB_X, width, &point->x.size, point->x.buffer) &&
	       put_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, width, &point->y.size, point->y.buffer);
}

enum err ek_public_build(const struct ek_template *tmpl, EVP_PKEY *key, struct buf *out)
{
	enum key_kind kind;
	TPMT_PUBLIC area;

	fill(tmpl, &area);
	if (key == NULL) {
		fill_unique(tmpl, &area);
		return public_write(&area, out);
	}
	TRY(key_kind_of(key, &kind));
	if (kind != tmpl->kind || !fill_key(tmpl, key, &area))
		return refuse(ERR_REJECTED, "ek-template", "EK Credential Profile B.3",
			"a %s key does not fit the template %s", key_kind_text(kind), tmpl->name);
	return public_write(&area, out);
}

enum err ek_public_name(struct view tpm2b_public, struct tpm_name *out)
{
	TPMT_PUBLIC area;

	TRY(public_read(tpm2b_public, &area));
	return public_name(tpm2b_public, area.nameAlg, out);
}

enum err ek_public_match(struct view sent, struct view rebuilt, EVP_PKEY *key)
{
	AUTO(pkey_free) EVP_PKEY *sent_key = NULL;
	enum key_kind kind;
	TPMT_PUBLIC area;

	TRY(public_read(sent, &area));
	if (view_equal(sent, rebuilt))
		return OK;
	if (public_pkey(&area, &sent_key, &kind) != OK || EVP_PKEY_eq(sent_key, key) != 1)
		return refuse(ERR_REJECTED, "ek-mismatch", "PROTOCOL ek",
			"ek.public is not the public area of the key that the EK certificate is "
			"for");
	return refuse(ERR_REJECTED, "ek-template", "EK Credential Profile B.3",
		"ek.public has the right key, but not the public area of a known EK template: "
		"nameAlg %04x, attributes %08x",
		area.nameAlg, area.objectAttributes);
}
