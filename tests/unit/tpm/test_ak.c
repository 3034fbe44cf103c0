#include "enroll/tpm/ak.h"

#include "ca/base/ossl.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/area.h"
#include "tests/unit/tpm/weak.h"

#include <pthread.h>

static enum err judge_bytes(struct view bytes)
{
	AUTO(ak_free) struct ak *ak = NULL;
	enum err err = ak_judge(bytes, SERVICE, AK_TAGGED, &ak);

	assert_true((err == OK) == (ak != NULL));
	return err;
}

static enum err judge_area(const TPMT_PUBLIC *area)
{
	AUTO(buf_free) struct buf bytes = BUF(2048);

	area_add(area, &bytes);
	return judge_bytes(buf_view(&bytes));
}

/* One alteration of a good AK; what it does to `area` is in braces. */
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
CHANGE(name_alg_sha384, area->nameAlg = TPM2_ALG_SHA384; area_tag(area, SERVICE))
CHANGE(name_alg_sha512, area->nameAlg = TPM2_ALG_SHA512; area_tag(area, SERVICE))
CHANGE(derived, FLIP(TPMA_OBJECT_SENSITIVEDATAORIGIN))
CHANGE(external, FLIP(TPMA_OBJECT_FIXEDTPM))
CHANGE(movable, FLIP(TPMA_OBJECT_FIXEDPARENT))
CHANGE(x509sign, FLIP(TPMA_OBJECT_X509SIGN))
CHANGE(decrypts_too, FLIP(TPMA_OBJECT_DECRYPT))
CHANGE(decrypts_only, FLIP(TPMA_OBJECT_DECRYPT | TPMA_OBJECT_SIGN_ENCRYPT))
CHANGE(not_restricted, FLIP(TPMA_OBJECT_RESTRICTED))
CHANGE(by_policy, FLIP(TPMA_OBJECT_ADMINWITHPOLICY))
CHANGE(without_lockout, FLIP(TPMA_OBJECT_NODA))
CHANGE(until_reset, FLIP(TPMA_OBJECT_STCLEAR))
CHANGE(no_scheme, RSA_PARMS.scheme.scheme = TPM2_ALG_NULL)
CHANGE(rsa_pss, RSA_PARMS.scheme.scheme = TPM2_ALG_RSAPSS)
CHANGE(rsa_es, RSA_PARMS.scheme.scheme = TPM2_ALG_RSAES)
CHANGE(rsa_oaep, RSA_PARMS.scheme.scheme = TPM2_ALG_OAEP)
CHANGE(rsa_sha1, RSA_PARMS.scheme.details.rsassa.hashAlg = TPM2_ALG_SHA1)
CHANGE(rsa_sha512, RSA_PARMS.scheme.details.rsassa.hashAlg = TPM2_ALG_SHA512)
CHANGE(pss_sha1, rsa_pss(area); rsa_sha1(area))
CHANGE(pss_no_hash, rsa_pss(area); RSA_PARMS.scheme.details.rsapss.hashAlg = TPM2_ALG_NULL)
CHANGE(rsa_symmetric, area_symmetric(&RSA_PARMS.symmetric))
CHANGE(exponent_f4, RSA_PARMS.exponent = 65537)
CHANGE(exponent_3, RSA_PARMS.exponent = 3)
CHANGE(exponent_huge, RSA_PARMS.exponent = 0xffffffff)
CHANGE(bits_1024, RSA_PARMS.keyBits = 1024)
CHANGE(bits_3072, RSA_PARMS.keyBits = 3072)
CHANGE(bits_0, RSA_PARMS.keyBits = 0)
CHANGE(short_modulus, area->unique.rsa.size--)
CHANGE(no_modulus, area->unique.rsa.size = 0)
CHANGE(small_modulus, area->unique.rsa.buffer[0] = 0x7f)
CHANGE(even_modulus, area->unique.rsa.buffer[255] &= 0xfe)
CHANGE(really_1024, bits_1024(area); area->unique.rsa.size = 128)
CHANGE(ecdaa, ECC_PARMS.scheme.scheme = TPM2_ALG_ECDAA)
CHANGE(schnorr, ECC_PARMS.scheme.scheme = TPM2_ALG_ECSCHNORR)
CHANGE(sm2, ECC_PARMS.scheme.scheme = TPM2_ALG_SM2)
CHANGE(ecdh, ECC_PARMS.scheme.scheme = TPM2_ALG_ECDH)
CHANGE(no_ecc_scheme, ECC_PARMS.scheme.scheme = TPM2_ALG_NULL)
CHANGE(ecdsa_sha1, ECC_PARMS.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA1)
CHANGE(ecdsa_sha384, ECC_PARMS.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA384)
CHANGE(ecc_symmetric, area_symmetric(&ECC_PARMS.symmetric))
CHANGE(ecc_kdf, ECC_PARMS.kdf.scheme = TPM2_ALG_KDF1_SP800_56A;
	ECC_PARMS.kdf.details.kdf1_sp800_56a.hashAlg = TPM2_ALG_SHA256)
CHANGE(off_curve, area->unique.ecc.y.buffer[31] ^= 1)
CHANGE(no_point, area->unique.ecc.x.size = 0; area->unique.ecc.y.size = 0)
CHANGE(wide_x, area->unique.ecc.x.size = 33)
CHANGE(wide_y, area->unique.ecc.y.size = 33)
CHANGE(curve_bn, ECC_PARMS.curveID = TPM2_ECC_BN_P256)
CHANGE(curve_p384, ECC_PARMS.curveID = TPM2_ECC_NIST_P384)
CHANGE(curve_p224, ECC_PARMS.curveID = TPM2_ECC_NIST_P224)
CHANGE(keyed_hash, *area = (TPMT_PUBLIC){.type = TPM2_ALG_KEYEDHASH,
			   .nameAlg = area->nameAlg,
			   .objectAttributes = area->objectAttributes};
	area->parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL)
CHANGE(symmetric_cipher, *area = (TPMT_PUBLIC){.type = TPM2_ALG_SYMCIPHER,
				 .nameAlg = area->nameAlg,
				 .objectAttributes = area->objectAttributes};
	area_symmetric(&area->parameters.symDetail.sym))
CHANGE(tag_of_another, area_tag(area, "https://other.example.org"))
CHANGE(tag_longer_name, area_tag(area, SERVICE "/"))
CHANGE(tag_empty, area->authPolicy.size = 0)
CHANGE(tag_empty_by_policy, tag_empty(area); by_policy(area))
CHANGE(tag_empty_sha1, tag_empty(area); name_alg_sha1(area))
CHANGE(tag_empty_unrestricted, tag_empty(area); not_restricted(area))
CHANGE(tag_short, area->authPolicy.size--)
CHANGE(tag_long, area->authPolicy.size++)
CHANGE(tag_of_sha384, area->nameAlg = TPM2_ALG_SHA384; area_tag(area, SERVICE);
	area->nameAlg = TPM2_ALG_SHA256)

static const struct {
	const char *name;
	enum key_kind kind;
	void (*change)(TPMT_PUBLIC *area);
	enum err err;
	const char *code;
	const char *clause;
} rows[] = {
	{"base-rsa", KEY_RSA_2048, nothing, OK, "", ""},
	{"base-p256", KEY_P256, nothing, OK, "", ""},
	{"rsa-3072", KEY_RSA_3072, nothing, OK, "", ""},
	{"rsa-4096", KEY_RSA_4096, nothing, OK, "", ""},
	{"p384", KEY_P384, nothing, OK, "", ""},
	{"p521", KEY_P521, nothing, OK, "", ""},
	{"namealg-sha384", KEY_P256, name_alg_sha384, OK, "", ""},
	{"namealg-sha512", KEY_P256, name_alg_sha512, OK, "", ""},
	{"noda", KEY_P256, without_lockout, OK, "", ""},
	{"stclear", KEY_P256, until_reset, OK, "", ""},
	{"rsapss", KEY_RSA_2048, rsa_pss, OK, "", ""},
	{"rsassa-sha512", KEY_RSA_2048, rsa_sha512, OK, "", ""},
	{"ecdsa-sha384", KEY_P256, ecdsa_sha384, OK, "", ""},
	{"exponent-65537", KEY_RSA_2048, exponent_f4, OK, "", ""},
	{"ak-namealg-null", KEY_P256, name_alg_null, ERR_REJECTED, "ak-name-algorithm",
		"PROTOCOL keys"},
	{"ak-namealg-sha1", KEY_P256, name_alg_sha1, ERR_REJECTED, "ak-name-algorithm",
		"PROTOCOL keys"},
	{"ak-namealg-sha3", KEY_RSA_2048, name_alg_sha3, ERR_REJECTED, "ak-name-algorithm",
		"PROTOCOL keys"},
	{"ak-derived", KEY_P256, derived, ERR_REJECTED, "ak-attributes", "PROTOCOL keys"},
	{"ak-external", KEY_P256, external, ERR_REJECTED, "ak-attributes", "PROTOCOL keys"},
	{"ak-movable", KEY_P256, movable, ERR_REJECTED, "ak-attributes", "PROTOCOL keys"},
	{"ak-x509sign", KEY_P256, x509sign, ERR_REJECTED, "ak-attributes", "PROTOCOL keys"},
	{"ak-decrypt", KEY_P256, decrypts_too, ERR_REJECTED, "ak-attributes", "PROTOCOL keys"},
	{"ak-decrypt-only", KEY_P256, decrypts_only, ERR_REJECTED, "ak-attributes",
		"PROTOCOL keys"},
	{"ak-not-restricted", KEY_RSA_2048, not_restricted, ERR_REJECTED, "ak-attributes",
		"PROTOCOL keys"},
	{"ak-by-policy", KEY_P256, by_policy, ERR_REJECTED, "ak-attributes", "PROTOCOL keys"},
	{"ak-scheme-null", KEY_RSA_2048, no_scheme, ERR_REJECTED, "ak-scheme", "PROTOCOL keys"},
	{"ak-scheme-null-ecc", KEY_P256, no_ecc_scheme, ERR_REJECTED, "ak-scheme", "PROTOCOL keys"},
	{"ak-scheme-rsaes", KEY_RSA_2048, rsa_es, ERR_REJECTED, "ak-scheme", "PROTOCOL keys"},
	{"ak-scheme-oaep", KEY_RSA_2048, rsa_oaep, ERR_REJECTED, "ak-scheme", "PROTOCOL keys"},
	{"ak-scheme-sha1", KEY_RSA_2048, rsa_sha1, ERR_REJECTED, "ak-scheme", "PROTOCOL keys"},
	{"ak-scheme-pss-sha1", KEY_RSA_2048, pss_sha1, ERR_REJECTED, "ak-scheme", "PROTOCOL keys"},
	{"ak-scheme-no-hash", KEY_RSA_2048, pss_no_hash, ERR_REJECTED, "ak-scheme",
		"PROTOCOL keys"},
	{"ak-scheme-ecdaa", KEY_P256, ecdaa, ERR_REJECTED, "ak-scheme", "PROTOCOL keys"},
	{"ak-scheme-schnorr", KEY_P256, schnorr, ERR_REJECTED, "ak-scheme", "PROTOCOL keys"},
	{"ak-scheme-sm2", KEY_P256, sm2, ERR_REJECTED, "ak-scheme", "PROTOCOL keys"},
	{"ak-scheme-ecdh", KEY_P256, ecdh, ERR_REJECTED, "ak-scheme", "PROTOCOL keys"},
	{"ak-scheme-ecdsa-sha1", KEY_P256, ecdsa_sha1, ERR_REJECTED, "ak-scheme", "PROTOCOL keys"},
	{"ak-symmetric", KEY_RSA_2048, rsa_symmetric, ERR_REJECTED, "ak-scheme", "PROTOCOL keys"},
	{"ak-symmetric-ecc", KEY_P256, ecc_symmetric, ERR_REJECTED, "ak-scheme", "PROTOCOL keys"},
	{"ak-kdf", KEY_P256, ecc_kdf, ERR_REJECTED, "ak-scheme", "PROTOCOL keys"},
	{"ak-exponent", KEY_RSA_2048, exponent_3, ERR_REJECTED, "ak-key", "PROTOCOL keys"},
	{"ak-exponent-huge", KEY_RSA_2048, exponent_huge, ERR_REJECTED, "ak-key", "PROTOCOL keys"},
	{"ak-bits-1024", KEY_RSA_2048, bits_1024, ERR_REJECTED, "ak-key", "PROTOCOL keys"},
	{"ak-bits-3072", KEY_RSA_2048, bits_3072, ERR_REJECTED, "ak-key", "PROTOCOL keys"},
	{"ak-bits-0", KEY_RSA_2048, bits_0, ERR_REJECTED, "ak-key", "PROTOCOL keys"},
	{"ak-rsa-1024", KEY_RSA_2048, really_1024, ERR_REJECTED, "ak-key", "PROTOCOL keys"},
	{"ak-short-modulus", KEY_RSA_2048, short_modulus, ERR_REJECTED, "ak-key", "PROTOCOL keys"},
	{"ak-no-modulus", KEY_RSA_2048, no_modulus, ERR_REJECTED, "ak-key", "PROTOCOL keys"},
	{"ak-small-modulus", KEY_RSA_2048, small_modulus, ERR_REJECTED, "ak-key", "PROTOCOL keys"},
	{"ak-even-modulus", KEY_RSA_2048, even_modulus, ERR_REJECTED, "ak-key", "PROTOCOL keys"},
	{"ak-off-curve", KEY_P256, off_curve, ERR_REJECTED, "ak-key", "PROTOCOL keys"},
	{"ak-no-point", KEY_P256, no_point, ERR_REJECTED, "ak-key", "PROTOCOL keys"},
	{"ak-wide-x", KEY_P256, wide_x, ERR_REJECTED, "ak-key", "PROTOCOL keys"},
	{"ak-wide-y", KEY_P256, wide_y, ERR_REJECTED, "ak-key", "PROTOCOL keys"},
	{"ak-curve-bn", KEY_P256, curve_bn, ERR_REJECTED, "ak-key", "PROTOCOL keys"},
	{"ak-curve-p384", KEY_P256, curve_p384, ERR_REJECTED, "ak-key", "PROTOCOL keys"},
	{"ak-curve-p224", KEY_P256, curve_p224, ERR_REJECTED, "ak-key", "PROTOCOL keys"},
	{"ak-keyed-hash", KEY_P256, keyed_hash, ERR_REJECTED, "ak-key", "PROTOCOL keys"},
	{"ak-symcipher", KEY_P256, symmetric_cipher, ERR_REJECTED, "ak-key", "PROTOCOL keys"},
	{"ak-tag-other", KEY_P256, tag_of_another, ERR_REJECTED, "ak-not-for-this-service",
		"PROTOCOL tag"},
	{"ak-tag-longer-name", KEY_P256, tag_longer_name, ERR_REJECTED, "ak-not-for-this-service",
		"PROTOCOL tag"},
	{"ak-tag-empty", KEY_RSA_2048, tag_empty, ERR_REJECTED, "ak-not-for-this-service",
		"PROTOCOL tag"},
	{"ak-tag-short", KEY_P256, tag_short, ERR_REJECTED, "ak-not-for-this-service",
		"PROTOCOL tag"},
	{"ak-tag-long", KEY_P256, tag_long, ERR_REJECTED, "ak-not-for-this-service",
		"PROTOCOL tag"},
	{"ak-tag-other-hash", KEY_P256, tag_of_sha384, ERR_REJECTED, "ak-not-for-this-service",
		"PROTOCOL tag"},
};

static void one_fault_gives_one_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		TPMT_PUBLIC area;

		area_of_ak(rows[i].kind, &area);
		assert_ok(judge_area(&area));
		rows[i].change(&area);
		assert_refused_in(rows[i].name, judge_area(&area), rows[i].err, rows[i].code);
		if (rows[i].err != OK && strcmp(why()->clause, rows[i].clause) != 0)
			fail_msg("%s: clause \"%s\"", rows[i].name, why()->clause);
	}
}

static void each_of_the_32_attribute_bits_counts(void **state)
{
	TPMT_PUBLIC good;

	(void)state;
	area_of_ak(KEY_P256, &good);
	for (unsigned bit = 0; bit < 32; bit++) {
		bool is_free = bit == 10 || bit == 2; /* noDA and stClear: Part 2, 8.3.2 */
		TPMT_PUBLIC area = good;
		char name[8];

		snprintf(name, sizeof(name), "bit %u", bit);
		area.objectAttributes ^= 1u << bit;
		assert_refused_in(
			name, judge_area(&area), is_free ? OK : ERR_REJECTED, "ak-attributes");
	}
}

static void a_key_with_the_roca_fingerprint_is_refused(void **state)
{
	AUTO(pkey_free) EVP_PKEY *key = weak_key();
	TPMT_PUBLIC area;

	(void)state;
	area_of_ak_key(key, &area);
	assert_refused(judge_area(&area), ERR_REJECTED, "ak-roca");
	assert_string_equal("CVE-2017-15361", why()->clause);
}

static void bytes_that_are_no_public_area_are_malformed(void **state)
{
	AUTO(buf_free) struct buf good = BUF(2048);
	TPMT_PUBLIC area;
	uint8_t bytes[1024];
	size_t n;

	(void)state;
	area_of_ak(KEY_P256, &area);
	area_add(&area, &good);
	n = good.n;
	memcpy(bytes, good.p, n);
	bytes[n] = 0;
	assert_refused(judge_bytes((struct view){bytes, n + 1}), ERR_MALFORMED, "tpm-public");
	bytes[1]++; /* ak-trailing: one byte more, size adjusted */
	assert_refused(judge_bytes((struct view){bytes, n + 1}), ERR_MALFORMED, "tpm-public");
	assert_string_equal("TPM 2.0 Part 2, 12.2.5", why()->clause);
	for (size_t cut = 0; cut < n; cut++) {
		memcpy(bytes, good.p, n);
		assert_refused(judge_bytes((struct view){bytes, cut}), ERR_MALFORMED, "tpm-public");
		if (cut < 2)
			continue;
		bytes[0] = (uint8_t)((cut - 2) >> 8);
		bytes[1] = (uint8_t)(cut - 2);
		assert_refused(judge_bytes((struct view){bytes, cut}), ERR_MALFORMED, "tpm-public");
	}
}

/* Is the area one of another AK, that is: only the key, a free attribute or the scheme differ? */
static bool is_another_ak(struct view bytes, const TPMT_PUBLIC *good)
{
	TPM2B_PUBLIC other = {0};
	size_t used = 0;

	assert_int_equal(0, Tss2_MU_TPM2B_PUBLIC_Unmarshal(bytes.p, bytes.n, &used, &other));
	assert_int_equal(good->type, other.publicArea.type);
	other.publicArea.objectAttributes &= ~(TPMA_OBJECT_NODA | TPMA_OBJECT_STCLEAR);
	if (good->type == TPM2_ALG_RSA) {
		other.publicArea.unique = good->unique;
		if (other.publicArea.parameters.rsaDetail.scheme.scheme == TPM2_ALG_RSAPSS)
			other.publicArea.parameters.rsaDetail.scheme.scheme = TPM2_ALG_RSASSA;
	}
	return memcmp(&other.publicArea, good, sizeof(*good)) == 0;
}

static void no_flipped_bit_passes_but_one_that_makes_another_ak(void **state)
{
	static const enum key_kind flipped[] = {KEY_P256, KEY_RSA_2048};

	(void)state;
	for (size_t k = 0; k < COUNT(flipped); k++) {
		AUTO(buf_free) struct buf bytes = BUF(2048);
		TPMT_PUBLIC good;
		size_t passed = 0;

		memset(&good, 0, sizeof(good));
		area_of_ak(flipped[k], &good);
		area_add(&good, &bytes);
		for (size_t bit = 0; bit < bytes.n * 8; bit++) {
			bytes.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (judge_bytes(buf_view(&bytes)) == OK) {
				assert_true(is_another_ak(buf_view(&bytes), &good));
				passed++;
			}
			bytes.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		/* noDA, stClear; RSASSA to RSAPSS, and the modulus without its first and last bit */
		assert_int_equal(flipped[k] == KEY_P256 ? 2 : 2 + 1 + 2046, passed);
	}
}

static void each_byte_with_each_value_does_no_harm(void **state)
{
	AUTO(buf_free) struct buf bytes = BUF(2048);
	TPMT_PUBLIC good;

	(void)state;
	area_of_ak(KEY_P384, &good);
	area_add(&good, &bytes);
	for (size_t i = 0; i < bytes.n; i++)
		for (unsigned change = 1; change < 256; change += 3) {
			bytes.p[i] ^= (uint8_t)change;
			if (judge_bytes(buf_view(&bytes)) != OK)
				assert_string_not_equal("", why()->code);
			bytes.p[i] ^= (uint8_t)change;
		}
}

/* An empty authPolicy and nothing else; all other rules stay as they are. */
static void an_ak_without_a_tag_is_taken_only_where_the_rule_says_so(void **state)
{
	static const struct {
		const char *name;
		void (*change)(TPMT_PUBLIC *area);
		enum err err;
		const char *code;
	} changes[] = {
		{"tagged", nothing, OK, ""},
		{"tag-other", tag_of_another, ERR_REJECTED, "ak-not-for-this-service"},
		{"tag-short", tag_short, ERR_REJECTED, "ak-not-for-this-service"},
		{"tag-empty", tag_empty, OK, ""},
		{"tag-empty-policy", tag_empty_by_policy, ERR_REJECTED, "ak-attributes"},
		{"tag-empty-sha1", tag_empty_sha1, ERR_REJECTED, "ak-name-algorithm"},
		{"tag-empty-unrestricted", tag_empty_unrestricted, ERR_REJECTED, "ak-attributes"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(changes); i++) {
		AUTO(buf_free) struct buf bytes = BUF(2048);
		AUTO(ak_free) struct ak *ak = NULL;
		TPMT_PUBLIC area;

		area_of_ak(KEY_P256, &area);
		changes[i].change(&area);
		area_add(&area, &bytes);
		assert_refused_in(changes[i].name,
			ak_judge(buf_view(&bytes), SERVICE, AK_TAG_OR_NONE, &ak), changes[i].err,
			changes[i].code);
		if (ak != NULL)
			assert_int_equal(area.authPolicy.size == 0, ak_is_untagged(ak));
	}
}

static void a_judged_ak_tells_what_it_is(void **state)
{
	AUTO(buf_free) struct buf bytes = BUF(2048);
	AUTO(ak_free) struct ak *ak = NULL;
	AUTO(pkey_free) EVP_PKEY *key = key_public_half(KEY_P384);
	uint8_t name[2 + 64] = {0x00, 0x0c};
	TPMT_PUBLIC area;
	unsigned n = 0;

	(void)state;
	area_of_ak_key(key, &area);
	area.nameAlg = TPM2_ALG_SHA384;
	area_tag(&area, SERVICE);
	area_add(&area, &bytes);
	assert_ok(ak_judge(buf_view(&bytes), SERVICE, AK_TAGGED, &ak));
	assert_int_equal(KEY_P384, ak_kind(ak));
	assert_int_equal(1, EVP_PKEY_eq(key, ak_pkey(ak)));
	assert_view_equal(buf_view(&bytes), ak_public(ak));
	assert_int_equal(1, EVP_Digest(bytes.p + 2, bytes.n - 2, name + 2, &n, EVP_sha384(), NULL));
	assert_view_equal(
		((struct view){name, 2 + n}), ((struct view){ak_name(ak)->bytes, ak_name(ak)->n}));
}

static void *key_for_thread(void *ak)
{
	return ak_pkey(ak);
}

static void threads_that_ask_for_its_key_at_once_have_the_same(void **state)
{
	AUTO(buf_free) struct buf bytes = BUF(2048);
	AUTO(ak_free) struct ak *ak = NULL;
	AUTO(pkey_free) EVP_PKEY *key = key_public_half(KEY_P256);
	pthread_t threads[8];
	TPMT_PUBLIC area;

	(void)state;
	area_of_ak_key(key, &area);
	area_tag(&area, SERVICE);
	area_add(&area, &bytes);
	assert_ok(ak_judge(buf_view(&bytes), SERVICE, AK_TAGGED, &ak));
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(0, pthread_create(&threads[i], NULL, key_for_thread, ak));
	for (size_t i = 0; i < COUNT(threads); i++) {
		void *got = NULL;

		pthread_join(threads[i], &got);
		assert_ptr_equal(got, ak_pkey(ak));
	}
	assert_int_equal(1, EVP_PKEY_eq(key, ak_pkey(ak)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_fault_gives_one_reason),
		cmocka_unit_test(each_of_the_32_attribute_bits_counts),
		cmocka_unit_test(a_key_with_the_roca_fingerprint_is_refused),
		cmocka_unit_test(bytes_that_are_no_public_area_are_malformed),
		cmocka_unit_test(no_flipped_bit_passes_but_one_that_makes_another_ak),
		cmocka_unit_test(each_byte_with_each_value_does_no_harm),
		cmocka_unit_test(an_ak_without_a_tag_is_taken_only_where_the_rule_says_so),
		cmocka_unit_test(a_judged_ak_tells_what_it_is),
		cmocka_unit_test(threads_that_ask_for_its_key_at_once_have_the_same),
	};

	setenv("TSS2_LOG", "all+none", 0); /* what tss2-mu says of bad bytes */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
