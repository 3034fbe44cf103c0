#include "tests/flow/hostile.h"

#include <string.h>

/* What the AK's public area says, changed without the TPM's knowing. */
static void alter_ak(struct dialogue *x, void (*alter)(TPMT_PUBLIC *area))
{
	TPM2B_PUBLIC area;

	public_area(buf_view(&x->ak_public), &area);
	alter(&area.publicArea);
	buf_free(&x->ak_public);
	public_bytes(&area, &x->ak_public);
}

#define AK_FAULT(function, ...)                                                                    \
	static void function##_area(TPMT_PUBLIC *area)                                             \
	{                                                                                          \
		__VA_ARGS__;                                                                       \
	}                                                                                          \
	static void function(struct dialogue *x, struct cast *cast)                                \
	{                                                                                          \
		(void)cast;                                                                        \
		alter_ak(x, function##_area);                                                      \
	}

AK_FAULT(namealg_null, area->nameAlg = TPM2_ALG_NULL)
AK_FAULT(namealg_sha1, area->nameAlg = TPM2_ALG_SHA1)
AK_FAULT(derived, area->objectAttributes &= ~TPMA_OBJECT_SENSITIVEDATAORIGIN)
AK_FAULT(external, area->objectAttributes &= ~TPMA_OBJECT_FIXEDTPM)
AK_FAULT(duplicable, area->objectAttributes &= ~TPMA_OBJECT_FIXEDPARENT)
AK_FAULT(x509sign, area->objectAttributes |= 1u << 19)
AK_FAULT(reserved, area->objectAttributes |= 1u << 31)
AK_FAULT(decrypts, area->objectAttributes |= TPMA_OBJECT_DECRYPT)
AK_FAULT(signs_not, area->objectAttributes &= ~TPMA_OBJECT_SIGN_ENCRYPT)
AK_FAULT(with_policy, area->objectAttributes |= TPMA_OBJECT_ADMINWITHPOLICY)
AK_FAULT(not_restricted, area->objectAttributes &= ~TPMA_OBJECT_RESTRICTED)
AK_FAULT(scheme_null, area->parameters.eccDetail.scheme.scheme = TPM2_ALG_NULL)
AK_FAULT(scheme_ecdaa, area->parameters.eccDetail.scheme.scheme = TPM2_ALG_ECDAA)
AK_FAULT(scheme_sha1, area->parameters.rsaDetail.scheme.details.rsassa.hashAlg = TPM2_ALG_SHA1)
AK_FAULT(exponent, area->parameters.rsaDetail.exponent = 3)
AK_FAULT(off_curve, area->unique.ecc.y.buffer[31] ^= 1)
AK_FAULT(tag_empty, area->authPolicy.size = 0)
AK_FAULT(tag_of_another, area->authPolicy.buffer[0] ^= 1)

static void trailing(struct dialogue *x, struct cast *cast)
{
	(void)cast;
	buf_u8(&x->ak_public, 0);
	x->ak_public.p[1]++;
}

static void beyond(struct dialogue *x, struct cast *cast)
{
	(void)cast;
	buf_u8(&x->ak_public, 0);
}

const struct fault ak_faults[] = {
	{"ak-namealg-null", BEFORE_CLAIM, namealg_null, 422, "ak-name-algorithm", AK_P256},
	{"ak-namealg-sha1", BEFORE_CLAIM, namealg_sha1, 422, "ak-name-algorithm", AK_P256},
	{"ak-derived", BEFORE_CLAIM, derived, 422, "ak-attributes", AK_P256},
	{"ak-external", BEFORE_CLAIM, external, 422, "ak-attributes", AK_P256},
	{"ak-duplicable", BEFORE_CLAIM, duplicable, 422, "ak-attributes", AK_P256},
	{"ak-x509sign", BEFORE_CLAIM, x509sign, 422, "ak-attributes", AK_P256},
	{"ak-decrypt", BEFORE_CLAIM, decrypts, 422, "ak-attributes", AK_P256},
	{"ak-sign-clear", BEFORE_CLAIM, signs_not, 422, "ak-attributes", AK_P256},
	{"ak-admin-with-policy", BEFORE_CLAIM, with_policy, 422, "ak-attributes", AK_P256},
	{"ak-not-restricted", BEFORE_CLAIM, not_restricted, 422, "ak-attributes", AK_P256},
	{"ak-scheme-null", BEFORE_CLAIM, scheme_null, 422, "ak-scheme", AK_P256},
	{"ak-scheme-ecdaa", BEFORE_CLAIM, scheme_ecdaa, 422, "ak-scheme", AK_P256},
	{"ak-scheme-sha1", BEFORE_CLAIM, scheme_sha1, 422, "ak-scheme", AK_RSASSA},
	{"ak-exponent", BEFORE_CLAIM, exponent, 422, "ak-key", AK_RSASSA},
	{"ak-off-curve", BEFORE_CLAIM, off_curve, 422, "ak-key", AK_P256},
	{"ak-reserved-bit", BEFORE_CLAIM, reserved, 422, "ak-attributes", AK_P256},
	{"ak-trailing", BEFORE_CLAIM, trailing, 400, "tpm-public", AK_P256},
	{"ak-beyond", BEFORE_CLAIM, beyond, 400, "tpm-public", AK_P256},
	{"ak-tag-empty", BEFORE_CLAIM, tag_empty, 422, "ak-not-for-this-service", AK_P256},
	{"ak-tag-other", BEFORE_CLAIM, tag_of_another, 422, "ak-not-for-this-service", AK_P256},
	{0},
};

static void certify(struct dialogue *x, struct maker *maker, const struct ek_wish *wish)
{
	EVP_PKEY *key = public_key(buf_view(&x->ek.public));

	buf_free(&x->ek_certificate);
	maker_certify(maker, key, wish, &x->ek_certificate);
	EVP_PKEY_free(key);
}

static void unknown_root(struct dialogue *x, struct cast *cast)
{
	certify(x, &cast->stranger, NULL);
}

/* Signed by a stranger in the name of the maker that is trusted. */
static void false_signature(struct dialogue *x, struct cast *cast)
{
	certify(x, &cast->world->maker, &(struct ek_wish){.signer = cast->stranger.key});
}

#define EK_FAULT(function, ...)                                                                    \
	static void function(struct dialogue *x, struct cast *cast)                                \
	{                                                                                          \
		certify(x, &cast->world->maker, &(struct ek_wish){__VA_ARGS__});                   \
	}

EK_FAULT(sign_only, .key_usage = "critical,digitalSignature")
EK_FAULT(wrong_eku, .extended_key_usage = "clientAuth")
/* A CA without a name would not be trusted for that alone. */
EK_FAULT(is_ca, .basic_constraints = "critical,CA:TRUE", .common_name = "chip",
	.key_usage = "critical,keyAgreement,keyCertSign")
EK_FAULT(says_ca, .basic_constraints = "critical,CA:TRUE", .common_name = "chip")
EK_FAULT(nameless, .without_names = true)
EK_FAULT(expired, .not_after = 1700000000 + 86400 * 365)

static void alter_ek(struct dialogue *x, void (*alter)(TPMT_PUBLIC *area))
{
	TPM2B_PUBLIC area;

	public_area(buf_view(&x->ek.public), &area);
	alter(&area.publicArea);
	public_bytes(&area, &x->ek_public);
}

static void null_symmetric(TPMT_PUBLIC *area)
{
	area->parameters.eccDetail.symmetric.algorithm = TPM2_ALG_NULL;
	area->objectAttributes &= ~TPMA_OBJECT_RESTRICTED;
}

static void symmetric_null(struct dialogue *x, struct cast *cast)
{
	(void)cast;
	alter_ek(x, null_symmetric);
}

static void sha1_name(TPMT_PUBLIC *area)
{
	area->nameAlg = TPM2_ALG_SHA1;
}

static void ek_namealg_sha1(struct dialogue *x, struct cast *cast)
{
	(void)cast;
	alter_ek(x, sha1_name);
}

static void public_of_another(struct dialogue *x, struct cast *cast)
{
	struct device_key other;

	device_ek(&cast->devices[1], KEY_P256, &other);
	buf_add(&x->ek_public, buf_view(&other.public));
	device_key_free(&cast->devices[1], &other);
}

static void no_certificate(struct dialogue *x, struct cast *cast)
{
	(void)cast;
	buf_free(&x->ek_certificate);
	buf_add(&x->ek_public, buf_view(&x->ek.public));
}

static void certificate_trailing(struct dialogue *x, struct cast *cast)
{
	(void)cast;
	buf_u8(&x->ek_certificate, 0x42); /* no padding */
}

const struct fault ek_faults[] = {
	{"ek-unknown-root", BEFORE_CLAIM, unknown_root, 422, "ek-untrusted", AK_P256},
	{"ek-false-signature", BEFORE_CLAIM, false_signature, 422, "ek-signature", AK_P256},
	{"ek-sign-only", BEFORE_CLAIM, sign_only, 422, "ek-usage", AK_P256},
	{"ek-wrong-eku", BEFORE_CLAIM, wrong_eku, 422, "ek-eku", AK_P256},
	{"ek-is-ca", BEFORE_CLAIM, is_ca, 422, "ek-is-ca", AK_P256},
	{"ek-says-ca", BEFORE_CLAIM, says_ca, 422, "ek-is-ca", AK_P256},
	{"ek-nameless", BEFORE_CLAIM, nameless, 422, "ek-san", AK_P256},
	{"ek-expired", BEFORE_CLAIM, expired, 422, "ek-expired", AK_P256},
	{"ek-symmetric-null", BEFORE_CLAIM, symmetric_null, 422, "ek-template", AK_P256},
	{"ek-namealg-sha1", BEFORE_CLAIM, ek_namealg_sha1, 422, "ek-template", AK_P256},
	{"ek-public-other", BEFORE_CLAIM, public_of_another, 422, "ek-mismatch", AK_P256},
	{"ek-no-certificate", BEFORE_CLAIM, no_certificate, 422, "ek-certificate-missing", AK_P256},
	{"ek-trailing", BEFORE_CLAIM, certificate_trailing, 400, "ek-certificate", AK_P256},
	{0},
};
