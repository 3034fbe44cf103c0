#include "enroll/tpm/ekpublic.h"

#include "ca/base/ossl.h"
#include "enroll/tpm/tss.h"
#include "tests/softtpm/policy.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/area.h"

#define POLICY_A "837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa"
#define POLICY_B_SHA256 "ca3d0a99a2b93906f7a3342414efcfb3a385d44cd1fd459089d19b5071c0b7a0"
#define POLICY_B_SHA384                                                                            \
	"b26e7d28d11a50bc53d882bcf5fd3a1a074148bb35d3b4e4cb1c0ad9bde419ca"                         \
	"cb47ba09699646150f9fc000f3f80e12"
#define POLICY_B_SHA512                                                                            \
	"b8221ca69e8550a4914de3faa6a18c072cc01208073a928d5d66d59ef79e49a4"                         \
	"29c41a6b269571d57edb25fbdb1838425608b413cd616a5f6db5b6071af99bea"

/* The templates byte for byte: EK Credential Profile 2.5, B.3 and B.4; `unique` follows. */
static const struct {
	const char *name;
	enum key_kind kind;
	const char *before_unique;
	size_t zeros; /* the template's own unique: this many times as wide a zero, */
	size_t width; /* each led by its size */
	uint32_t nv, handle;
} rows[] = {
	{"L-1", KEY_RSA_2048, "0001000b000300b20020" POLICY_A "0006008000430010080000000000", 1,
		256, 0x01c00002, 0x81010001},
	{"L-2", KEY_P256, "0023000b000300b20020" POLICY_A "000600800043001000030010", 2, 32,
		0x01c0000a, 0x81010002},
	{"H-1", KEY_RSA_2048, "0001000b000300f20020" POLICY_B_SHA256 "0006008000430010080000000000",
		1, 0, 0x01c00012, 0x81010012},
	{"H-2", KEY_P256, "0023000b000300f20020" POLICY_B_SHA256 "000600800043001000030010", 2, 0,
		0x01c00014, 0x81010014},
	{"H-3", KEY_P384, "0023000c000300f20030" POLICY_B_SHA384 "000601000043001000040010", 2, 0,
		0x01c00016, 0x81010016},
	{"H-4", KEY_P521, "0023000d000300f20040" POLICY_B_SHA512 "000601000043001000050010", 2, 0,
		0x01c00018, 0x81010018},
	{"H-6", KEY_RSA_3072, "0001000c000300f20030" POLICY_B_SHA384 "00060100004300100c0000000000",
		1, 0, 0x01c0001c, 0x8101001c},
	{"H-7", KEY_RSA_4096, "0001000c000300f20030" POLICY_B_SHA384 "0006010000430010100000000000",
		1, 0, 0x01c0001e, 0x8101001e},
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
		assert_int_equal(rows[i].name[0] == 'L', tmpl->needs_policy);
		add_hex(&area, rows[i].before_unique);
		for (size_t j = 0; j < rows[i].zeros; j++)
			add_sized(&area, (struct view){zeros, rows[i].width});
		add_sized(&wanted, buf_view(&area));
		assert_ok(ek_public_build(tmpl, NULL, &got));
		assert_view_equal(buf_view(&wanted), buf_view(&got));
	}
	assert_null(ek_templates[COUNT(rows)].name);
}

/* The tests' own TPM knows policies only as the rules by which TPMs compute them. */
static void the_policies_are_the_digests_of_their_commands(void **state)
{
	(void)state;
	for (const struct ek_template *t = ek_templates; t->name != NULL; t++) {
		AUTO(buf_free) struct buf bytes = BUF(1024);
		TPM2B_PUBLIC whole = {0};
		TPM2B_DIGEST wanted;
		size_t used = 0;

		assert_true(t->needs_policy ? soft_policy_a(t->name_alg, &wanted)
					    : soft_policy_b(t->name_alg, &wanted));
		assert_ok(ek_public_build(t, NULL, &bytes));
		Tss2_MU_TPM2B_PUBLIC_Unmarshal(bytes.p, bytes.n, &used, &whole);
		assert_view_equal(
			VIEW_2B(&wanted, buffer), VIEW_2B(&whole.publicArea.authPolicy, buffer));
	}
}

static void each_kind_has_a_template_and_the_low_one_comes_first(void **state)
{
	static const char *const wanted[] = {[KEY_RSA_2048] = "L-1",
		[KEY_RSA_3072] = "H-6",
		[KEY_RSA_4096] = "H-7",
		[KEY_P256] = "L-2",
		[KEY_P384] = "H-3",
		[KEY_P521] = "H-4"};

	(void)state;
	for (enum key_kind kind = KEY_RSA_2048; kind <= KEY_P521; kind++)
		assert_string_equal(wanted[kind], ek_template_of(kind)->name);
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
		assert_ok(public_name(buf_view(&got), ek_templates[i].name_alg, &name));
		EVP_Digest(got.p + 2, got.n - 2, digest, &n, digest_of(ek_templates[i].name_alg),
			NULL);
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

static void aes_128(TPMT_PUBLIC *area)
{
	area->parameters.asymDetail.symmetric.keyBits.aes = 128;
}

static void policy_a(TPMT_PUBLIC *area)
{
	assert_true(soft_policy_a(area->nameAlg, &area->authPolicy));
}

static void policy_b(TPMT_PUBLIC *area)
{
	assert_true(soft_policy_b(area->nameAlg, &area->authPolicy));
}

static void policy_c(TPMT_PUBLIC *area)
{
	assert_true(soft_policy_c(area->nameAlg, &area->authPolicy));
}

static void user_with_auth(TPMT_PUBLIC *area)
{
	area->objectAttributes ^= TPMA_OBJECT_USERWITHAUTH;
}

/* The whole of the other template for this kind. */
static void high(TPMT_PUBLIC *area)
{
	policy_b(area);
	user_with_auth(area);
}

/* Coordinates of 65 bytes stand for the same point, and of 67 for none on P-521. */
static void without_leading_zero(TPMT_PUBLIC *area)
{
	TPM2B_ECC_PARAMETER *x = &area->unique.ecc.x;

	x->size--;
	memmove(x->buffer, x->buffer + 1, x->size);
}

static void with_another_zero(TPMT_PUBLIC *area)
{
	TPM2B_ECC_PARAMETER *y = &area->unique.ecc.y;

	memmove(y->buffer + 1, y->buffer, y->size);
	y->buffer[0] = 0;
	y->size++;
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

#define TEMPLATE ERR_REJECTED, "ek-template", "EK Credential Profile B.3"
#define MISMATCH ERR_REJECTED, "ek-mismatch", "PROTOCOL ek"

static const struct {
	const char *name;
	size_t template;
	void (*change)(TPMT_PUBLIC *area);
	enum err err;
	const char *code;
	const char *clause;
} sent[] = {
	{"L-1", 0, nothing, OK, "", ""},
	{"L-2", 1, nothing, OK, "", ""},
	{"H-1", 2, nothing, OK, "", ""},
	{"H-2", 3, nothing, OK, "", ""},
	{"H-3", 4, nothing, OK, "", ""},
	{"H-4", 5, nothing, OK, "", ""},
	{"H-6", 6, nothing, OK, "", ""},
	{"H-7", 7, nothing, OK, "", ""},
	{"ek-low-made-high", 1, high, OK, "", ""},
	{"ek-symmetric-null", 1, symmetric_null, TEMPLATE},
	{"ek-aes-256", 1, aes_256, TEMPLATE},
	{"ek-namealg-sha1", 1, name_alg_sha1, TEMPLATE},
	{"ek-not-fixed", 1, not_fixed, TEMPLATE},
	{"ek-no-policy", 1, no_policy, TEMPLATE},
	{"ek-low-with-policy-b", 1, policy_b, TEMPLATE},
	{"ek-low-with-auth", 0, user_with_auth, TEMPLATE},
	{"ek-high-with-policy-a", 2, policy_a, TEMPLATE},
	{"ek-high-with-policy-c", 3, policy_c, TEMPLATE},
	{"ek-high-without-auth", 4, user_with_auth, TEMPLATE},
	{"ek-p384-aes-128", 4, aes_128, TEMPLATE},
	{"ek-p521-aes-128", 5, aes_128, TEMPLATE},
	{"ek-rsa-3072-aes-128", 6, aes_128, TEMPLATE},
	{"ek-rsa-4096-no-policy", 7, no_policy, TEMPLATE},
	{"ek-p521-x-of-65", 5, without_leading_zero, TEMPLATE},
	{"ek-p521-y-of-67", 5, with_another_zero, MISMATCH},
	{"ek-public-other", 1, another_key, MISMATCH},
	{"ek-public-off-curve", 1, off_curve, MISMATCH},
};

/* A P-521 key whose x begins with a zero byte, as every second one does; any key of other kinds. */
static EVP_PKEY *key_for(const struct ek_template *tmpl)
{
	for (;;) {
		AUTO(pkey_free) EVP_PKEY *key = key_public_half(tmpl->kind);
		AUTO(buf_free) struct buf bytes = BUF(1024);

		assert_ok(ek_public_build(tmpl, key, &bytes));
		if (tmpl->kind != KEY_P521 || bytes.p[bytes.n - 2 * 66 - 2] == 0)
			return MOVE(key);
	}
}

static void a_sent_public_area_must_be_made_from_a_template_of_its_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sent); i++) {
		const struct ek_template *tmpl = &ek_templates[sent[i].template], *found = NULL;
		AUTO(pkey_free) EVP_PKEY *key = key_for(tmpl);
		AUTO(buf_free) struct buf built = BUF(1024), bytes = BUF(1024);
		TPM2B_PUBLIC whole = {0};
		size_t used = 0;

		assert_ok(ek_public_build(tmpl, key, &built));
		Tss2_MU_TPM2B_PUBLIC_Unmarshal(built.p, built.n, &used, &whole);
		sent[i].change(&whole.publicArea);
		area_add(&whole.publicArea, &bytes);
		assert_refused_in(sent[i].name, ek_public_match(buf_view(&bytes), key, &found),
			sent[i].err, sent[i].code);
		if (sent[i].err != OK)
			assert_string_equal(sent[i].clause, why()->clause);
		else
			assert_ptr_equal(found, sent[i].change == high ? &ek_templates[3] : tmpl);
	}
}

static void a_sent_public_area_that_is_none_is_malformed(void **state)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	AUTO(buf_free) struct buf longer = BUF(1024);
	const struct ek_template *found;

	(void)state;
	assert_ok(ek_public_build(ek_template_of(KEY_P256), key, &longer));
	buf_u8(&longer, 0);
	assert_refused(
		ek_public_match(buf_view(&longer), key, &found), ERR_MALFORMED, "tpm-public");
}

static void a_public_area_by_itself_has_a_key_and_one_template(void **state)
{
	(void)state;
	for (const struct ek_template *t = ek_templates; t->name != NULL; t++) {
		AUTO(pkey_free) EVP_PKEY *key = key_for(t), *read = NULL;
		AUTO(buf_free) struct buf public = BUF(EK_PUBLIC_MAX);
		const struct ek_template *found = NULL;

		assert_ok(ek_public_build(t, key, &public));
		assert_ok(ek_public_read(buf_view(&public), &read, &found));
		assert_ptr_equal(t, found);
		assert_int_equal(1, EVP_PKEY_eq(key, read));
	}
}

/* Nothing but the template can be wrong with it: there is no certificate to differ from. */
static void a_public_area_by_itself_of_no_template_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sent); i++) {
		const struct ek_template *tmpl = &ek_templates[sent[i].template], *found = NULL;
		AUTO(pkey_free) EVP_PKEY *key = key_for(tmpl), *read = NULL;
		AUTO(buf_free) struct buf built = BUF(1024), bytes = BUF(1024);
		bool good = sent[i].err == OK || sent[i].change == another_key;
		bool is_no_key = sent[i].change == off_curve || sent[i].change == with_another_zero;
		TPM2B_PUBLIC whole = {0};
		size_t used = 0;

		assert_ok(ek_public_build(tmpl, key, &built));
		Tss2_MU_TPM2B_PUBLIC_Unmarshal(built.p, built.n, &used, &whole);
		sent[i].change(&whole.publicArea);
		area_add(&whole.publicArea, &bytes);
		assert_refused_in(sent[i].name, ek_public_read(buf_view(&bytes), &read, &found),
			good ? OK : ERR_REJECTED,
			good	    ? ""
			: is_no_key ? "ek-key"
				    : "ek-template");
		assert_int_equal(good, read != NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_templates_are_those_of_the_profile),
		cmocka_unit_test(the_policies_are_the_digests_of_their_commands),
		cmocka_unit_test(each_kind_has_a_template_and_the_low_one_comes_first),
		cmocka_unit_test(a_rebuilt_public_area_is_the_template_with_the_key),
		cmocka_unit_test(a_key_that_does_not_fit_its_template_is_refused),
		cmocka_unit_test(a_sent_public_area_must_be_made_from_a_template_of_its_kind),
		cmocka_unit_test(a_sent_public_area_that_is_none_is_malformed),
		cmocka_unit_test(a_public_area_by_itself_has_a_key_and_one_template),
		cmocka_unit_test(a_public_area_by_itself_of_no_template_is_refused),
	};

	setenv("TSS2_LOG", "all+none", 0); /* what tss2-mu says of bad bytes */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
