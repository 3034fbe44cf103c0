#include "enroll/tpm/credential.h"

#include "ca/base/ossl.h"
#include "tests/softtpm/activate.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/area.h"

/* EKs that a credential can be made for; the first three are what L-1, L-2 and H-3 ask for. */
static const struct {
	const char *name;
	enum key_kind kind;
	uint16_t name_alg, aes_bits;
} eks[] = {
	{"rsa-2048", KEY_RSA_2048, TPM2_ALG_SHA256, 128},
	{"p256", KEY_P256, TPM2_ALG_SHA256, 128},
	{"p384", KEY_P384, TPM2_ALG_SHA384, 256},
	{"p521", KEY_P521, TPM2_ALG_SHA512, 256},
	{"p256-sha384", KEY_P256, TPM2_ALG_SHA384, 256},
	{"rsa-2048-sha512", KEY_RSA_2048, TPM2_ALG_SHA512, 256},
};

static const struct tpm_name ak_a = {.bytes = {0x00, 0x0b, 1, 2, 3}, .n = 34};
static const struct tpm_name ak_b = {.bytes = {0x00, 0x0b, 1, 2, 4}, .n = 34};
static const struct tpm_name ak_long = {.bytes = {0x00, 0x0d, 1, 2, 4}, .n = 66};
static const uint8_t secret[] = "32 bytes of the session's secret";

/* A credential, and what is needed to activate it. */
struct made {
	EVP_PKEY *ek;
	TPMT_PUBLIC area;
	struct buf public, blob, wrapped;
};

static void made_free(struct made *made)
{
	EVP_PKEY_free(made->ek);
	buf_free(&made->public);
	buf_free(&made->blob);
	buf_free(&made->wrapped);
}

static void make_ek(size_t row, struct made *out)
{
	*out = (struct made){.public = BUF(1024), .blob = BUF(1024), .wrapped = BUF(1024)};
	out->ek = key_pair(eks[row].kind);
	area_of_ek(out->ek, eks[row].name_alg, eks[row].aes_bits, &out->area);
	area_add(&out->area, &out->public);
}

static enum err make(struct made *made, const struct tpm_name *name, struct view bytes)
{
	buf_free(&made->blob);
	buf_free(&made->wrapped);
	return credential_make(buf_view(&made->public), name, bytes, &made->blob, &made->wrapped);
}

static bool activates(const struct made *made, const struct tpm_name *name, struct view wanted)
{
	const struct soft_key ek = {.pkey = made->ek, .public.publicArea = made->area};
	TPM2B_DIGEST out;

	if (!soft_activate(&ek, (struct view){name->bytes, name->n}, buf_view(&made->blob),
		    buf_view(&made->wrapped), &out))
		return false;
	assert_view_equal(wanted, VIEW_2B(&out, buffer));
	return true;
}

#define SECRET ((struct view){secret, 32})

static void each_kind_of_ek_gives_the_secret_out(void **state)
{
	const struct tpm_name *const names[] = {&ak_a, &ak_long};

	(void)state;
	for (size_t i = 0; i < COUNT(eks); i++) {
		AUTO(made_free) struct made made;

		make_ek(i, &made);
		for (size_t j = 0; j < COUNT(names); j++) {
			assert_ok(make(&made, names[j], SECRET));
			if (!activates(&made, names[j], SECRET))
				fail_msg("%s: TPM_RC_INTEGRITY", eks[i].name);
		}
		assert_ok(make(&made, &ak_a, (struct view){secret, 1}));
		assert_true(activates(&made, &ak_a, (struct view){secret, 1}));
	}
}

static void another_name_fails_its_integrity(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(eks); i++) {
		AUTO(made_free) struct made made;

		make_ek(i, &made);
		assert_ok(make(&made, &ak_a, SECRET));
		assert_false(activates(&made, &ak_b, SECRET));
		assert_false(activates(&made, &ak_long, SECRET));
	}
}

static void another_ek_does_not_give_it_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		AUTO(made_free) struct made made;
		AUTO(pkey_free) EVP_PKEY *other = key_pair(eks[i].kind);
		EVP_PKEY *own;

		make_ek(i, &made);
		assert_ok(make(&made, &ak_a, SECRET));
		own = made.ek;
		made.ek = other;
		assert_false(activates(&made, &ak_a, SECRET));
		made.ek = own;
	}
}

static void a_flipped_byte_is_found(void **state)
{
	AUTO(made_free) struct made made;

	(void)state;
	make_ek(1, &made);
	assert_ok(make(&made, &ak_a, SECRET));
	for (size_t i = 0; i < made.blob.n; i++) {
		made.blob.p[i] ^= 1;
		assert_false(activates(&made, &ak_a, SECRET));
		made.blob.p[i] ^= 1;
	}
	for (size_t i = 0; i < made.wrapped.n; i++) {
		made.wrapped.p[i] ^= 1;
		assert_false(activates(&made, &ak_a, SECRET));
		made.wrapped.p[i] ^= 1;
	}
	assert_true(activates(&made, &ak_a, SECRET));
}

static void no_two_credentials_are_alike(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		AUTO(made_free) struct made made;
		AUTO(buf_free) struct buf blob = BUF(1024), wrapped = BUF(1024);

		make_ek(i, &made);
		assert_ok(make(&made, &ak_a, SECRET));
		assert_ok(credential_make(buf_view(&made.public), &ak_a, SECRET, &blob, &wrapped));
		assert_false(view_equal(buf_view(&blob), buf_view(&made.blob)));
		assert_false(view_equal(buf_view(&wrapped), buf_view(&made.wrapped)));
	}
}

static void nothing(TPMT_PUBLIC *area)
{
	(void)area;
}

static void symmetric_null(TPMT_PUBLIC *area)
{
	area->parameters.asymDetail.symmetric.algorithm = TPM2_ALG_NULL;
}

static void aes_192(TPMT_PUBLIC *area)
{
	area->parameters.asymDetail.symmetric.keyBits.aes = 192;
}

static void camellia(TPMT_PUBLIC *area)
{
	area->parameters.asymDetail.symmetric.algorithm = TPM2_ALG_CAMELLIA;
}

static void counter_mode(TPMT_PUBLIC *area)
{
	area->parameters.asymDetail.symmetric.mode.aes = TPM2_ALG_CTR;
}

static void name_alg_sha1(TPMT_PUBLIC *area)
{
	area->nameAlg = TPM2_ALG_SHA1;
}

static void off_curve(TPMT_PUBLIC *area)
{
	area->unique.ecc.x.buffer[0] ^= 1;
}

static const struct {
	const char *name;
	void (*change)(TPMT_PUBLIC *area);
	size_t secret_n;
	enum err err;
	const char *code;
	const char *clause;
} faults[] = {
	{"base", nothing, 32, OK, "", ""},
	{"symmetric-null", symmetric_null, 32, ERR_REJECTED, "ek-template", "TPM 2.0 Part 1, 24"},
	{"aes-192", aes_192, 32, ERR_REJECTED, "ek-template", "TPM 2.0 Part 1, 24"},
	{"camellia", camellia, 32, ERR_REJECTED, "ek-template", "TPM 2.0 Part 1, 24"},
	{"aes-ctr", counter_mode, 32, ERR_REJECTED, "ek-template", "TPM 2.0 Part 1, 24"},
	{"namealg-sha1", name_alg_sha1, 20, ERR_REJECTED, "ek-template", "TPM 2.0 Part 1, 24"},
	{"secret-too-long", nothing, 33, ERR_REJECTED, "ek-template", "TPM 2.0 Part 1, 24"},
	{"off-curve", off_curve, 32, ERR_REJECTED, "ak-key", "PROTOCOL keys"},
};

static void an_ek_that_it_cannot_be_done_with_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		AUTO(made_free) struct made made;

		make_ek(1, &made);
		faults[i].change(&made.area);
		buf_free(&made.public);
		area_add(&made.area, &made.public);
		assert_refused_in(faults[i].name,
			make(&made, &ak_a, (struct view){secret, faults[i].secret_n}),
			faults[i].err, faults[i].code);
		if (faults[i].err == OK)
			continue;
		assert_string_equal(faults[i].clause, why()->clause);
		assert_int_equal(0, made.blob.n + made.wrapped.n);
	}
}

static void what_is_no_public_area_is_malformed(void **state)
{
	AUTO(made_free) struct made made;

	(void)state;
	make_ek(1, &made);
	made.public.n--;
	assert_refused(make(&made, &ak_a, SECRET), ERR_MALFORMED, "tpm-public");
}

static void an_answer_without_room_is_too_large(void **state)
{
	AUTO(made_free) struct made made;
	AUTO(buf_free) struct buf small = BUF(16), wrapped = BUF(1024);

	(void)state;
	make_ek(1, &made);
	assert_refused(credential_make(buf_view(&made.public), &ak_a, SECRET, &small, &wrapped),
		ERR_TOO_LARGE, "too-large");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_ek_gives_the_secret_out),
		cmocka_unit_test(another_name_fails_its_integrity),
		cmocka_unit_test(another_ek_does_not_give_it_out),
		cmocka_unit_test(a_flipped_byte_is_found),
		cmocka_unit_test(no_two_credentials_are_alike),
		cmocka_unit_test(an_ek_that_it_cannot_be_done_with_is_refused),
		cmocka_unit_test(what_is_no_public_area_is_malformed),
		cmocka_unit_test(an_answer_without_room_is_too_large),
	};

	setenv("TSS2_LOG", "all+none", 0); /* what tss2-mu says of bad bytes */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
