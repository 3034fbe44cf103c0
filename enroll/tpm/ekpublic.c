#include "enroll/tpm/ekpublic.h"

#include "ca/base/ossl.h"
#include "enroll/tpm/tss.h"

#include <openssl/core_names.h>
#include <stdlib.h>
#include <string.h>

const struct ek_template ek_templates[] = {
	{"L-1", KEY_RSA_2048, TPM2_ALG_SHA256, 128, 0x01c00002, 0x81010001, true},
	{"L-2", KEY_P256, TPM2_ALG_SHA256, 128, 0x01c0000a, 0x81010002, true},
	{"H-1", KEY_RSA_2048, TPM2_ALG_SHA256, 128, 0x01c00012, 0x81010012, false},
	{"H-2", KEY_P256, TPM2_ALG_SHA256, 128, 0x01c00014, 0x81010014, false},
	{"H-3", KEY_P384, TPM2_ALG_SHA384, 256, 0x01c00016, 0x81010016, false},
	{"H-4", KEY_P521, TPM2_ALG_SHA512, 256, 0x01c00018, 0x81010018, false},
	{"H-6", KEY_RSA_3072, TPM2_ALG_SHA384, 256, 0x01c0001c, 0x8101001c, false},
	{"H-7", KEY_RSA_4096, TPM2_ALG_SHA384, 256, 0x01c0001e, 0x8101001e, false},
	{0},
};

/* PolicyA: TPM2_PolicySecret(TPM_RH_ENDORSEMENT), with SHA-256. EK Credential Profile 2.5, B.6.2. */
static const uint8_t policy_a_sha256[] = {0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a,
	0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7, 0x24, 0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64,
	0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14, 0x69, 0xaa};

/* PolicyB: PolicyA, or what an NV index says (PolicyC). EK Credential Profile 2.5, B.6.5. */
static const uint8_t policy_b_sha256[] = {0xca, 0x3d, 0x0a, 0x99, 0xa2, 0xb9, 0x39, 0x06, 0xf7,
	0xa3, 0x34, 0x24, 0x14, 0xef, 0xcf, 0xb3, 0xa3, 0x85, 0xd4, 0x4c, 0xd1, 0xfd, 0x45, 0x90,
	0x89, 0xd1, 0x9b, 0x50, 0x71, 0xc0, 0xb7, 0xa0};
static const uint8_t policy_b_sha384[] = {0xb2, 0x6e, 0x7d, 0x28, 0xd1, 0x1a, 0x50, 0xbc, 0x53,
	0xd8, 0x82, 0xbc, 0xf5, 0xfd, 0x3a, 0x1a, 0x07, 0x41, 0x48, 0xbb, 0x35, 0xd3, 0xb4, 0xe4,
	0xcb, 0x1c, 0x0a, 0xd9, 0xbd, 0xe4, 0x19, 0xca, 0xcb, 0x47, 0xba, 0x09, 0x69, 0x96, 0x46,
	0x15, 0x0f, 0x9f, 0xc0, 0x00, 0xf3, 0xf8, 0x0e, 0x12};
static const uint8_t policy_b_sha512[] = {0xb8, 0x22, 0x1c, 0xa6, 0x9e, 0x85, 0x50, 0xa4, 0x91,
	0x4d, 0xe3, 0xfa, 0xa6, 0xa1, 0x8c, 0x07, 0x2c, 0xc0, 0x12, 0x08, 0x07, 0x3a, 0x92, 0x8d,
	0x5d, 0x66, 0xd5, 0x9e, 0xf7, 0x9e, 0x49, 0xa4, 0x29, 0xc4, 0x1a, 0x6b, 0x26, 0x95, 0x71,
	0xd5, 0x7e, 0xdb, 0x25, 0xfb, 0xdb, 0x18, 0x38, 0x42, 0x56, 0x08, 0xb4, 0x13, 0xcd, 0x61,
	0x6a, 0x5f, 0x6d, 0xb5, 0xb6, 0x07, 0x1a, 0xf9, 0x9b, 0xea};

const struct ek_template *ek_template_of(enum key_kind kind)
{
	for (const struct ek_template *t = ek_templates; t->name != NULL; t++)
		if (t->kind == kind)
			return t;
	return NULL;
}

static struct view policy_of(const struct ek_template *tmpl)
{
	if (tmpl->needs_policy)
		return VIEW(policy_a_sha256);
	if (tmpl->name_alg == TPM2_ALG_SHA256)
		return VIEW(policy_b_sha256);
	return tmpl->name_alg == TPM2_ALG_SHA384 ? VIEW(policy_b_sha384) : VIEW(policy_b_sha512);
}

static bool is_rsa(const struct ek_template *tmpl)
{
	return key_kind_curve(tmpl->kind) == TPM2_ECC_NONE;
}

/* How many bytes a modulus or a coordinate has. */
static size_t width_of(const struct ek_template *tmpl)
{
	return ((size_t)key_kind_bits(tmpl->kind) + 7) / 8;
}

/* Everything but the key: what a template fixes. */
static void fill(const struct ek_template *tmpl, TPMT_PUBLIC *area)
{
	TPMT_SYM_DEF_OBJECT aes = {.algorithm = TPM2_ALG_AES,
		.keyBits.aes = tmpl->symmetric_bits,
		.mode.aes = TPM2_ALG_CFB};
	struct view policy = policy_of(tmpl);

	memset(area, 0, sizeof(*area));
	area->nameAlg = tmpl->name_alg;
	area->objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
				 TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_ADMINWITHPOLICY |
				 TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT;
	if (!tmpl->needs_policy)
		area->objectAttributes |= TPMA_OBJECT_USERWITHAUTH;
	area->authPolicy.size = (UINT16)policy.n;
	memcpy(area->authPolicy.buffer, policy.p, policy.n);
	if (is_rsa(tmpl)) {
		area->type = TPM2_ALG_RSA;
		area->parameters.rsaDetail.symmetric = aes;
		area->parameters.rsaDetail.scheme.scheme = TPM2_ALG_NULL;
		area->parameters.rsaDetail.keyBits = (UINT16)key_kind_bits(tmpl->kind);
	} else {
		area->type = TPM2_ALG_ECC;
		area->parameters.eccDetail.symmetric = aes;
		area->parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL;
		area->parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
		area->parameters.eccDetail.curveID = key_kind_curve(tmpl->kind);
	}
}

/* `unique` of the L templates: zeros as wide as the key (B.3.3, B.3.4); of the H ones: empty. */
static void fill_unique(const struct ek_template *tmpl, TPMT_PUBLIC *area)
{
	if (!tmpl->needs_policy)
		return;
	if (is_rsa(tmpl)) {
		area->unique.rsa.size = (UINT16)width_of(tmpl);
	} else {
		area->unique.ecc.x.size = (UINT16)width_of(tmpl);
		area->unique.ecc.y.size = (UINT16)width_of(tmpl);
	}
}

static void put_number(const uint8_t *number, size_t width, UINT16 *size, BYTE *out)
{
	memcpy(out, number, width);
	*size = (UINT16)width;
}

static void fill_key(const struct key_numbers *key, TPMT_PUBLIC *area)
{
	TPMS_ECC_POINT *point = &area->unique.ecc;

	if (key_numbers_are_rsa(key)) {
		put_number(key->first, key->width, &area->unique.rsa.size, area->unique.rsa.buffer);
	} else {
		put_number(key->first, key->width, &point->x.size, point->x.buffer);
		put_number(key->second, key->width, &point->y.size, point->y.buffer);
	}
}

enum err ek_public_of(
	const struct ek_template *tmpl, const struct key_numbers *key, struct buf *out)
{
	TPMT_PUBLIC area;

	if (key->kind != tmpl->kind)
		return refuse(ERR_REJECTED, "ek-template", "EK Credential Profile B.3",
			"a %s key does not fit the template %s", key_kind_text(key->kind),
			tmpl->name);
	fill(tmpl, &area);
	fill_key(key, &area);
	return public_write(&area, out);
}

enum err ek_public_build(const struct ek_template *tmpl, EVP_PKEY *key, struct buf *out)
{
	struct key_numbers numbers;
	TPMT_PUBLIC area;

	if (key == NULL) {
		fill(tmpl, &area);
		fill_unique(tmpl, &area);
		return public_write(&area, out);
	}
	TRY(key_numbers_of(key, &numbers));
	return ek_public_of(tmpl, &numbers, out);
}

/* Is `sent` the public area of this key under this template? */
static enum err is_made_from(
	const struct ek_template *tmpl, struct view sent, const struct key_numbers *key, bool *made)
{
	AUTO(buf_free) struct buf rebuilt = BUF(EK_PUBLIC_MAX);

	TRY(ek_public_of(tmpl, key, &rebuilt));
	*made = view_equal(sent, buf_view(&rebuilt));
	return OK;
}

enum err ek_public_match(struct view sent, EVP_PKEY *key, const struct ek_template **out)
{
	AUTO(pkey_free) EVP_PKEY *sent_key = NULL;
	struct key_numbers numbers;
	enum key_kind sent_kind;
	TPMT_PUBLIC area;
	bool made = false;

	TRY(public_read(sent, &area));
	TRY(key_numbers_of(key, &numbers));
	for (const struct ek_template *t = ek_templates; t->name != NULL; t++) {
		if (t->kind == numbers.kind)
			TRY(is_made_from(t, sent, &numbers, &made));
		if (made) {
			*out = t;
			return OK;
		}
	}
	if (public_pkey(&area, &sent_key, &sent_kind) != OK || EVP_PKEY_eq(sent_key, key) != 1)
		return refuse(ERR_REJECTED, "ek-mismatch", "PROTOCOL ek",
			"ek.public is not the public area of the key that the EK certificate is "
			"for");
	return refuse(ERR_REJECTED, "ek-template", "EK Credential Profile B.3",
		"ek.public has the right key, but not the public area of a known EK template: "
		"nameAlg %04x, attributes %08x",
		area.nameAlg, area.objectAttributes);
}

enum err ek_public_read(struct view sent, EVP_PKEY **key, const struct ek_template **out)
{
	AUTO(pkey_free) EVP_PKEY *made = NULL;
	enum key_kind kind;
	TPMT_PUBLIC area;

	TRY(public_read(sent, &area));
	if (public_pkey(&area, &made, &kind) != OK)
		return refuse(ERR_REJECTED, "ek-key", "EK Credential Profile B.3",
			"ek.public has no key that an EK may have: %s", why()->sentence);
	TRY(ek_public_match(sent, made, out));
	*key = MOVE(made);
	return OK;
}
