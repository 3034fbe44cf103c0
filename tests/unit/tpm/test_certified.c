#include "enroll/tpm/certified.h"

#include "ca/base/ossl.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/area.h"
#include "tests/unit/tpm/weak.h"
#include "tests/unit/tpm/witness.h"

static struct witness home;
static const struct view ticket = {(const uint8_t *)"a ticket", 8};
static uint8_t extra_bytes[32];
static const struct view extra = {extra_bytes, sizeof(extra_bytes)};

static int make(void **state)
{
	(void)state;
	witness_make(SOFT_P256, false, &home);
	assert_ok(certify_qualifying(ticket, extra_bytes));
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	witness_free(&home);
	return 0;
}

static enum err judge(const struct testimony *testimony, const struct ak *ak)
{
	AUTO(certified_free) struct certified *certified = NULL;
	struct certify_evidence evidence = testimony_view(testimony);
	enum err err = certified_judge(&evidence, ak, extra, &certified);

	assert_true((err == OK) == (certified != NULL));
	return err;
}

static void every_ak_certifies_keys_of_its_tpm(void **state)
{
	(void)state;
	for (enum soft_ak kind = 0; kind < SOFT_AKS; kind++) {
		AUTO(witness_free) struct witness other;
		AUTO(testimony_free) struct testimony testimony;
		AUTO(certified_free) struct certified *certified = NULL;
		struct certify_evidence evidence;

		witness_make(kind, kind == SOFT_RSASSA_2048, &other);
		testify(&other.signer, &other.key, extra, &testimony);
		evidence = testimony_view(&testimony);
		if (certified_judge(&evidence, other.ak, extra, &certified) != OK)
			fail_msg("%s: %s: %s", soft_ak_text(kind), why()->code, why()->sentence);
		assert_int_equal(1, EVP_PKEY_eq(other.key.pkey, certified_pkey(certified)));
		assert_view_equal(VIEW_2B(&other.key.name, name),
			((struct view){
				certified_name(certified)->bytes, certified_name(certified)->n}));
		assert_false(certified_decrypts(certified));
		assert_view_equal(certified_area(certified),
			((struct view){testimony.public.p + 2, testimony.public.n - 2}));
		assert_view_equal(certified_attest(certified),
			((struct view){testimony.attest.p + 2, testimony.attest.n - 2}));
		assert_view_equal(certified_signature(certified), buf_view(&testimony.signature));
	}
}

/* One alteration of a good key's area; what it does to `area` is in braces. */
#define CHANGE(name, ...)                                                                          \
	static void name(TPMT_PUBLIC *area)                                                        \
	{                                                                                          \
		__VA_ARGS__;                                                                       \
	}
#define RSA_PARMS area->parameters.rsaDetail
#define ECC_PARMS area->parameters.eccDetail
#define FLIP(bits) area->objectAttributes ^= (bits)

CHANGE(nothing, (void)area)
CHANGE(name_alg_null, area->nameAlg = TPM2_ALG_NULL)
CHANGE(name_alg_sha1, area->nameAlg = TPM2_ALG_SHA1)
CHANGE(name_alg_sha3, area->nameAlg = TPM2_ALG_SHA3_256)
CHANGE(name_alg_sha384, area->nameAlg = TPM2_ALG_SHA384)
CHANGE(derived, FLIP(TPMA_OBJECT_SENSITIVEDATAORIGIN))
CHANGE(external, FLIP(TPMA_OBJECT_FIXEDTPM))
CHANGE(movable, FLIP(TPMA_OBJECT_FIXEDPARENT))
CHANGE(loaded_external,
	FLIP(TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN))
CHANGE(restricted, FLIP(TPMA_OBJECT_RESTRICTED))
CHANGE(x509sign, FLIP(TPMA_OBJECT_X509SIGN))
CHANGE(decrypts_only, FLIP(TPMA_OBJECT_DECRYPT | TPMA_OBJECT_SIGN_ENCRYPT))
CHANGE(by_policy, FLIP(TPMA_OBJECT_ADMINWITHPOLICY))
CHANGE(without_lockout, FLIP(TPMA_OBJECT_NODA))
CHANGE(until_reset, FLIP(TPMA_OBJECT_STCLEAR))
CHANGE(only_by_policy, FLIP(TPMA_OBJECT_USERWITHAUTH); area->authPolicy.size = 32)
CHANGE(decrypts_too, FLIP(TPMA_OBJECT_DECRYPT))
CHANGE(ecdsa, ECC_PARMS.scheme.scheme = TPM2_ALG_ECDSA;
	ECC_PARMS.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256)
CHANGE(ecdsa_sha1, ecdsa(area); ECC_PARMS.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA1)
CHANGE(ecdaa, ECC_PARMS.scheme.scheme = TPM2_ALG_ECDAA;
	ECC_PARMS.scheme.details.ecdaa.hashAlg = TPM2_ALG_SHA256)
CHANGE(ecdh, ECC_PARMS.scheme.scheme = TPM2_ALG_ECDH;
	ECC_PARMS.scheme.details.ecdh.hashAlg = TPM2_ALG_SHA256)
CHANGE(ecc_symmetric, area_symmetric(&ECC_PARMS.symmetric))
CHANGE(ecc_kdf, ECC_PARMS.kdf.scheme = TPM2_ALG_KDF1_SP800_56A;
	ECC_PARMS.kdf.details.kdf1_sp800_56a.hashAlg = TPM2_ALG_SHA256)
CHANGE(rsassa, RSA_PARMS.scheme.scheme = TPM2_ALG_RSASSA;
	RSA_PARMS.scheme.details.rsassa.hashAlg = TPM2_ALG_SHA256)
CHANGE(rsapss, rsassa(area); RSA_PARMS.scheme.scheme = TPM2_ALG_RSAPSS)
CHANGE(rsassa_sha1, rsassa(area); RSA_PARMS.scheme.details.rsassa.hashAlg = TPM2_ALG_SHA1)
CHANGE(rsa_es, RSA_PARMS.scheme.scheme = TPM2_ALG_RSAES)
CHANGE(rsa_symmetric, area_symmetric(&RSA_PARMS.symmetric))
CHANGE(exponent_3, RSA_PARMS.exponent = 3)
CHANGE(bits_1024, RSA_PARMS.keyBits = 1024; area->unique.rsa.size = 128)
CHANGE(even_modulus, area->unique.rsa.buffer[255] &= 0xfe)
CHANGE(off_curve, area->unique.ecc.y.buffer[31] ^= 1)
CHANGE(curve_bn, ECC_PARMS.curveID = TPM2_ECC_BN_P256)
CHANGE(keyed_hash, *area = (TPMT_PUBLIC){.type = TPM2_ALG_KEYEDHASH,
			   .nameAlg = area->nameAlg,
			   .objectAttributes = area->objectAttributes};
	area->parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL)

static const struct {
	const char *name;
	bool is_rsa;
	void (*change)(TPMT_PUBLIC *area);
	const char *code; /* "": it is taken */
} areas[] = {
	{"base-p256", false, nothing, ""},
	{"base-rsa", true, nothing, ""},
	{"namealg-sha384", false, name_alg_sha384, ""},
	{"noda", false, without_lockout, ""},
	{"stclear", false, until_reset, ""},
	{"only-by-policy", false, only_by_policy, ""},
	{"decrypts-too", false, decrypts_too, ""},
	{"ecdsa", false, ecdsa, ""},
	{"rsassa", true, rsassa, ""},
	{"rsapss", true, rsapss, ""},
	{"namealg-null", false, name_alg_null, "key-name-algorithm"},
	{"namealg-sha1", false, name_alg_sha1, "key-name-algorithm"},
	{"namealg-sha3", false, name_alg_sha3, "key-name-algorithm"},
	{"derived", false, derived, "key-attributes"},
	{"external", false, external, "key-attributes"},
	{"movable", false, movable, "key-attributes"},
	{"certify-software-key", false, loaded_external, "key-attributes"},
	{"restricted", false, restricted, "key-attributes"},
	{"x509sign", false, x509sign, "key-attributes"},
	{"decrypt-only", true, decrypts_only, "key-attributes"},
	{"admin-with-policy", false, by_policy, "key-attributes"},
	{"ecdsa-sha1", false, ecdsa_sha1, "key-scheme"},
	{"ecdaa", false, ecdaa, "key-scheme"},
	{"ecdh", false, ecdh, "key-scheme"},
	{"symmetric-ecc", false, ecc_symmetric, "key-scheme"},
	{"kdf", false, ecc_kdf, "key-scheme"},
	{"rsassa-sha1", true, rsassa_sha1, "key-scheme"},
	{"rsaes", true, rsa_es, "key-scheme"},
	{"symmetric", true, rsa_symmetric, "key-scheme"},
	{"exponent", true, exponent_3, "key-key"},
	{"bits-1024", true, bits_1024, "key-key"},
	{"even-modulus", true, even_modulus, "key-key"},
	{"off-curve", false, off_curve, "key-key"},
	{"curve-bn", false, curve_bn, "key-key"},
	{"keyed-hash", false, keyed_hash, "key-key"},
};

/* The Name of an altered area, so that the statement fits it; of a nameAlg that makes none, what it was. */
static void rename_key(struct soft_key *key)
{
	TPMT_PUBLIC *area = &key->public.publicArea;
	uint8_t bytes[2048];
	TPM2B_DIGEST digest;
	size_t n = 0;

	assert_int_equal(0, Tss2_MU_TPMT_PUBLIC_Marshal(area, bytes, sizeof(bytes), &n));
	if (!SOFT_HASH(area->nameAlg, &digest, {bytes, n}))
		return;
	key->name.size = (UINT16)(2 + digest.size);
	key->name.name[0] = (BYTE)(area->nameAlg >> 8);
	key->name.name[1] = (BYTE)area->nameAlg;
	memcpy(key->name.name + 2, digest.buffer, digest.size);
}

static void a_key_must_be_one_that_stays_and_signs(void **state)
{
	AUTO(witness_free) struct witness rsa;

	(void)state;
	witness_make(SOFT_P256, true, &rsa);
	for (size_t i = 0; i < COUNT(areas); i++) {
		const struct witness *of = areas[i].is_rsa ? &rsa : &home;
		AUTO(testimony_free) struct testimony testimony;
		struct soft_key key = of->key;

		areas[i].change(&key.public.publicArea);
		rename_key(&key);
		testify(&of->signer, &key, extra, &testimony);
		assert_refused_in(areas[i].name, judge(&testimony, of->ak),
			areas[i].code[0] == '\0' ? OK : ERR_REJECTED, areas[i].code);
	}
}

static void each_of_the_32_attribute_bits_counts(void **state)
{
	/* userWithAuth, noDA, stClear, decrypt: Part 2, 8.3.2 */
	const uint32_t is_free = 1u << 6 | 1u << 10 | 1u << 2 | 1u << 17;

	(void)state;
	for (unsigned bit = 0; bit < 32; bit++) {
		AUTO(testimony_free) struct testimony testimony;
		struct soft_key key = home.key;
		char name[8];

		snprintf(name, sizeof(name), "bit %u", bit);
		key.public.publicArea.objectAttributes ^= 1u << bit;
		rename_key(&key);
		testify(&home.signer, &key, extra, &testimony);
		assert_refused_in(name, judge(&testimony, home.ak),
			(is_free >> bit & 1) != 0 ? OK : ERR_REJECTED, "key-attributes");
	}
}

static void a_key_that_also_decrypts_is_told(void **state)
{
	AUTO(testimony_free) struct testimony testimony;
	AUTO(certified_free) struct certified *certified = NULL;
	struct certify_evidence evidence;
	struct soft_key key = home.key;

	(void)state;
	decrypts_too(&key.public.publicArea);
	rename_key(&key);
	testify(&home.signer, &key, extra, &testimony);
	evidence = testimony_view(&testimony);
	assert_ok(certified_judge(&evidence, home.ak, extra, &certified));
	assert_true(certified_decrypts(certified));
}

static void a_key_with_the_roca_fingerprint_is_refused(void **state)
{
	AUTO(pkey_free) EVP_PKEY *weak = weak_key();
	AUTO(testimony_free) struct testimony testimony;
	AUTO(soft_key_free) struct soft_key key;
	TPMT_PUBLIC area;

	(void)state;
	soft_tls_area(true, &area);
	assert_true(soft_key_make(&area, weak, &key));
	testify(&home.signer, &key, extra, &testimony);
	assert_refused(judge(&testimony, home.ak), ERR_REJECTED, "key-roca");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_ak_certifies_keys_of_its_tpm),
		cmocka_unit_test(a_key_must_be_one_that_stays_and_signs),
		cmocka_unit_test(each_of_the_32_attribute_bits_counts),
		cmocka_unit_test(a_key_that_also_decrypts_is_told),
		cmocka_unit_test(a_key_with_the_roca_fingerprint_is_refused),
	};

	setenv("TSS2_LOG", "all+none", 0); /* what tss2-mu says of bad bytes */
	return cmocka_run_group_tests(tests, make, unmake);
}
