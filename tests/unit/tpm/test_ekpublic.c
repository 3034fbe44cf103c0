#include "enroll/tpm/ekpublic.h"

#include "ca/base/ossl.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/area.h"

#define POLICY_A "837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa"
#define POLICY_B                                                                                   \
	"b26e7d28d11a50bc53d882bcf5fd3a1a074148bb35d3b4e4cb1c0ad9bde419ca"                         \
	"cb47ba09699646150f9fc000f3f80e12"

/* The templates byte for byte: EK Credential Profile 2.5, B.3.3, B.3.4 and B.4.5; `unique` follows. */
static const struct {
	const char *name;
	enum key_kind kind;
	const char *before_unique;
	size_t zeros; /* the template's own unique: this many times as wide a zero, */
	size_t width; /* each led by its size */
	uint32_t nv, handle;
} rows[] = {
	{"L-1", KEY_RSA_2048,
		"0001000b000300b20020" POLICY_A "00060080004300100800"
		"00000000",
		1, 256, 0x01c00002, 0x81010001},
	{"L-2", KEY_P256,
		"0023000b000300b20020" POLICY_A "0006008000430010000300"
		"10",
		2, 32, 0x01c0000a, 0x81010002},
	{"H-3", KEY_P384,
		"0023000c000300f20030" POLICY_B "00060100004300100004001"
		"0",
		2, 0, 0x01c00016, 0x81010016},
};

static void add_sized(struct buf *out, struct view bytes)
{
	buf_u8(out, (uint8_t)(bytes.n >> 8));
	buf_u8(out, (uint8_t)bytes.n);
	buf_add(out, bytes);
}

static void the_templates_are_those_of_the_profile(void **state)
{
	static const uint8_t zeros[256];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf area = BUF(1024), wanted = BUF(1024), got = BUF(1024);
		const struct ek_template *tmpl = &ek_templates[i];

		assert_string_equal(rows[i].name, tmpl->name);
		assert_int_equal(rows[i].nv, tmpl->nv_certificate);
		assert_int_equal(rows[i].handle, tmpl->persistent);
		assert_int_equal(rows[i].kind != KEY_P384, tmpl->needs_policy);
		add_hex(&area, rows[i].before_unique);
		for (size_t j = 0; j < rows[i].zeros; j++)
			add_sized(&area, (struct view){zeros, rows[i].width});
		add_sized(&wanted, buf_view(&area));
		assert_ok(ek_public_build(tmpl, NULL, &got));
		assert_view_equal(buf_view(&wanted), buf_view(&got));
	}
	assert_null(ek_templates[COUNT(rows)].name);
}

/* TPM2_PolicySecret(TPM_RH_ENDORSEMENT): Part 3, 23.4.1; H(H(zeros, command code, name), no ref). */
static void policy_a_is_the_digest_of_its_command(void **state)
{
	static const uint8_t extend[32 + 8] = {
		[32] = 0x00, 0x00, 0x01, 0x51, 0x40, 0x00, 0x00, 0x0b};
	AUTO(buf_free) struct buf wanted = BUF(32);
	uint8_t digest[32];
	unsigned int n;

	(void)state;
	add_hex(&wanted, POLICY_A);
	EVP_Digest(extend, sizeof(extend), digest, &n, EVP_sha256(), NULL);
	EVP_Digest(digest, sizeof(digest), digest, &n, EVP_sha256(), NULL);
	assert_view_equal(buf_view(&wanted), VIEW(digest));
}

static void there_is_one_template_for_each_of_three_kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(rows[i].name, ek_template_of(rows[i].kind)->name);
	assert_null(ek_template_of(KEY_RSA_3072));
	assert_null(ek_template_of(KEY_RSA_4096));
	assert_null(ek_template_of(KEY_P521));
}

static void a_rebuilt_public_area_is_the_template_with_the_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf wanted = BUF(1024), got = BUF(1024), start = BUF(256);
		AUTO(pkey_free) EVP_PKEY *key = key_public_half(rows[i].kind);
		struct tpm_name name;
		TPMT_PUBLIC area;
		uint8_t digest[64];
		unsigned int n;

		assert_ok(ek_public_build(&ek_templates[i], key, &got));
		add_hex(&start, rows[i].before_unique);
		assert_memory_equal(start.p, got.p + 2, start.n);
		area_of_ak_key(key, &area); /* only for `unique` at the end */
		area_add(&area, &wanted);
		n = (unsigned)(got.n - 2 - start.n);
		assert_memory_equal(wanted.p + wanted.n - n, got.p + got.n - n, n);
		assert_ok(ek_public_name(buf_view(&got), &name));
		EVP_Digest(got.p + 2, got.n - 2, digest, &n,
			rows[i].kind == KEY_P384 ? EVP_sha384() : EVP_sha256(), NULL);
		assert_view_equal(
			((struct view){digest, n}), ((struct view){name.bytes + 2, name.n - 2}));
	}
}

static void a_key_that_does_not_fit_its_template_is_refused(void **state)
{
	AUTO(pkey_free) EVP_PKEY *p384 = key_pair(KEY_P384), *odd = EVP_EC_gen("P-224");
	AUTO(buf_free) struct buf out = BUF(1024);

	(void)state;
	assert_refused(
		ek_public_build(ek_template_of(KEY_P256), p384, &out), ERR_REJECTED, "ek-template");
	assert_refused(ek_public_build(ek_template_of(KEY_RSA_2048), p384, &out), ERR_REJECTED,
		"ek-template");
	assert_refused(
		ek_public_build(ek_template_of(KEY_P256), odd, &out), ERR_REJECTED, "key-kind");
	assert_int_equal(0, out.n);
}

static void nothing(TPMT_PUBLIC *area)
{
	(void)area;
}

static void symmetric_null(TPMT_PUBLIC *area)
{
	area->parameters.asymDetail.symmetric.algorithm = TPM2_ALG_NULL;
}

static void aes_256(TPMT_PUBLIC *area)
{
	area->parameters.asymDetail.symmetric.keyBits.aes = 256;
}

static void name_alg_sha1(TPMT_PUBLIC *area)
{
	area->nameAlg = TPM2_ALG_SHA1;
}

static void not_fixed(TPMT_PUBLIC *area)
{
	area->objectAttributes &= ~TPMA_OBJECT_FIXEDTPM;
}

static void no_policy(TPMT_PUBLIC *area)
{
	area->authPolicy.size = 0;
}

static void another_key(TPMT_PUBLIC *area)
{
	AUTO(pkey_free) EVP_PKEY *other = key_pair(KEY_P256);
	TPMT_PUBLIC from;

	area_of_ak_key(other, &from);
	area->unique = from.unique;
}

static void off_curve(TPMT_PUBLIC *area)
{
	area->unique.ecc.x.buffer[31] ^= 1;
}

static const struct {
	const char *name;
	void (*change)(TPMT_PUBLIC *area);
	enum err err;
	const char *code;
	const char *clause;
} sent[] = {
	{"base", nothing, OK, "", ""},
	{"ek-symmetric-null", symmetric_null, ERR_REJECTED, "ek-template",
		"EK Credential Profile B.3"},
	{"ek-aes-256", aes_256, ERR_REJECTED, "ek-template", "EK Credential Profile B.3"},
	{"ek-namealg-sha1", name_alg_sha1, ERR_REJECTED, "ek-template",
		"EK Credential Profile B.3"},
	{"ek-not-fixed", not_fixed, ERR_REJECTED, "ek-template", "EK Credential Profile B.3"},
	{"ek-no-policy", no_policy, ERR_REJECTED, "ek-template", "EK Credential Profile B.3"},
	{"ek-public-other", another_key, ERR_REJECTED, "ek-mismatch", "PROTOCOL ek"},
	{"ek-public-off-curve", off_curve, ERR_REJECTED, "ek-mismatch", "PROTOCOL ek"},
};

static void a_sent_public_area_must_be_the_rebuilt_one(void **state)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	AUTO(buf_free) struct buf rebuilt = BUF(1024);

	(void)state;
	assert_ok(ek_public_build(ek_template_of(KEY_P256), key, &rebuilt));
	for (size_t i = 0; i < COUNT(sent); i++) {
		AUTO(buf_free) struct buf bytes = BUF(1024);
		TPM2B_PUBLIC whole = {0};
		size_t used = 0;

		Tss2_MU_TPM2B_PUBLIC_Unmarshal(rebuilt.p, rebuilt.n, &used, &whole);
		sent[i].change(&whole.publicArea);
		area_add(&whole.publicArea, &bytes);
		assert_refused_in(sent[i].name,
			ek_public_match(buf_view(&bytes), buf_view(&rebuilt), key), sent[i].err,
			sent[i].code);
		if (sent[i].err != OK)
			assert_string_equal(sent[i].clause, why()->clause);
	}
}

static void a_sent_public_area_that_is_none_is_malformed(void **state)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	AUTO(buf_free) struct buf rebuilt = BUF(1024), longer = BUF(1024);
	struct tpm_name name;

	(void)state;
	assert_ok(ek_public_build(ek_template_of(KEY_P256), key, &rebuilt));
	buf_add(&longer, buf_view(&rebuilt));
	buf_u8(&longer, 0);
	assert_refused(ek_public_match(buf_view(&longer), buf_view(&rebuilt), key), ERR_MALFORMED,
		"tpm-public");
	assert_refused(ek_public_name(buf_view(&longer), &name), ERR_MALFORMED, "tpm-public");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_templates_are_those_of_the_profile),
		cmocka_unit_test(policy_a_is_the_digest_of_its_command),
		cmocka_unit_test(there_is_one_template_for_each_of_three_kinds),
		cmocka_unit_test(a_rebuilt_public_area_is_the_template_with_the_key),
		cmocka_unit_test(a_key_that_does_not_fit_its_template_is_refused),
		cmocka_unit_test(a_sent_public_area_must_be_the_rebuilt_one),
		cmocka_unit_test(a_sent_public_area_that_is_none_is_malformed),
	};

	setenv("TSS2_LOG", "all+none", 0); /* what tss2-mu says of bad bytes */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
