#include "enroll/tpm/attest.h"

#include "ca/base/ossl.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/area.h"
#include "tests/unit/tpm/witness.h"

#include <openssl/rsa.h>

static struct witness home, other;
static const struct view extra = {(const uint8_t *)"qualifying data", 15};

static int make(void **state)
{
	(void)state;
	witness_make(SOFT_P256, false, &home);
	witness_make(SOFT_P256, false, &other);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	witness_free(&home);
	witness_free(&other);
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

/* One alteration of a good statement, which is signed afterwards. */
#define CHANGE(name, ...)                                                                          \
	static void name(TPMS_ATTEST *said)                                                        \
	{                                                                                          \
		__VA_ARGS__;                                                                       \
	}
CHANGE(nothing, (void)said)
CHANGE(magic_zero, said->magic = 0)
CHANGE(magic_flipped, said->magic ^= 1)
CHANGE(extra_empty, said->extraData.size = 0)
CHANGE(extra_short, said->extraData.size--)
CHANGE(extra_long, said->extraData.size++)
CHANGE(extra_other, said->extraData.buffer[14] ^= 1)
CHANGE(name_empty, said->attested.certify.name.size = 0)
CHANGE(name_other, said->attested.certify.name = other.key.name)
CHANGE(name_of_ak, said->attested.certify.name = home.signer.name)
CHANGE(name_long, said->attested.certify.name.size++)
CHANGE(name_short, said->attested.certify.name.size--)
CHANGE(name_handle, said->attested.certify.name.size = 4)
CHANGE(name_qualified, said->attested.certify.name = said->attested.certify.qualifiedName)
CHANGE(quote, said->type = TPM2_ST_ATTEST_QUOTE; said->attested.quote = (TPMS_QUOTE_INFO){0};
	said->attested.quote.pcrDigest.size = 32)
CHANGE(creation, said->type = TPM2_ST_ATTEST_CREATION;
	said->attested.creation.objectName = home.key.name)
CHANGE(time_of, said->type = TPM2_ST_ATTEST_TIME)

static const struct {
	const char *name;
	void (*change)(TPMS_ATTEST *said);
	const char *code;
} rows[] = {
	{"base", nothing, ""},
	{"magic-zero", magic_zero, "attest-magic"},
	{"magic-flipped", magic_flipped, "attest-magic"},
	{"extra-empty", extra_empty, "attest-qualifying-data"},
	{"extra-short", extra_short, "attest-qualifying-data"},
	{"extra-long", extra_long, "attest-qualifying-data"},
	{"extra-other", extra_other, "attest-qualifying-data"},
	{"name-empty", name_empty, "certify-name"},
	{"name-other", name_other, "certify-name"},
	{"name-of-ak", name_of_ak, "certify-name"},
	{"name-long", name_long, "certify-name"},
	{"name-short", name_short, "certify-name"},
	{"name-handle", name_handle, "certify-name"},
	{"name-qualified", name_qualified, "certify-name"},
	{"quote", quote, "attest-type"},
	{"creation", creation, "attest-type"},
	{"time", time_of, "attest-type"},
};

static void one_word_altered_gives_one_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(testimony_free) struct testimony testimony;
		TPMS_ATTEST said;

		statement_of(&home.signer, &home.key, extra, &said);
		rows[i].change(&said);
		testify_of(&home.signer, &home.key, &said, &testimony);
		assert_refused_in(rows[i].name, judge(&testimony, home.ak),
			rows[i].code[0] == '\0' ? OK : ERR_REJECTED, rows[i].code);
	}
}

static void another_ak_of_the_same_kind_is_not_this_one(void **state)
{
	AUTO(testimony_free) struct testimony testimony;

	(void)state;
	testify(&other.signer, &home.key, extra, &testimony);
	assert_refused(judge(&testimony, home.ak), ERR_REJECTED, "attest-signature");
	assert_ok(judge(&testimony, other.ak));
}

/* Nobody certified the key: the statement is about the AK itself, or was signed by the key. */
static void a_key_that_no_ak_spoke_of_is_refused(void **state)
{
	AUTO(testimony_free) struct testimony about_ak, by_itself;
	TPMS_ATTEST said;
	struct soft_key self = home.key;

	(void)state;
	testify(&home.signer, &home.signer, extra, &about_ak);
	buf_free(&about_ak.public);
	assert_true(soft_key_public(&home.key, &about_ak.public));
	assert_refused(judge(&about_ak, home.ak), ERR_REJECTED, "certify-name");
	statement_of(&home.signer, &home.key, extra, &said);
	self.public.publicArea.parameters.eccDetail.scheme.scheme = TPM2_ALG_ECDSA;
	self.public.publicArea.parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
	testify_of(&self, &home.key, &said, &by_itself);
	assert_refused(judge(&by_itself, home.ak), ERR_REJECTED, "attest-signature");
}

/* A good statement, signed by hand: with any hash, and for RSAPSS with a salt of any length. */
static void sign_by_hand(const struct witness *by, uint16_t scheme, uint16_t hash, const EVP_MD *md,
	int salt, struct testimony *out)
{
	AUTO(md_ctx_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	TPMT_SIGNATURE made = {.sigAlg = scheme};
	EVP_PKEY_CTX *key = NULL;
	size_t n = sizeof(made.signature.rsassa.sig.buffer);

	testify(&by->signer, &by->key, extra, out);
	made.signature.rsassa.hash = hash;
	assert_int_equal(1, EVP_DigestSignInit(ctx, &key, md, NULL, by->signer.pkey));
	if (scheme == TPM2_ALG_RSAPSS) {
		assert_int_equal(1, EVP_PKEY_CTX_set_rsa_padding(key, RSA_PKCS1_PSS_PADDING));
		assert_int_equal(1, EVP_PKEY_CTX_set_rsa_pss_saltlen(key, salt));
	}
	assert_int_equal(1, EVP_DigestSign(ctx, made.signature.rsassa.sig.buffer, &n,
				    out->attest.p + 2, out->attest.n - 2));
	made.signature.rsassa.sig.size = (UINT16)n;
	buf_free(&out->signature);
	assert_true(soft_signature_bytes(&made, &out->signature));
}

/* An AK has one scheme with one hash, and signs with no other. */
static void only_the_scheme_and_hash_of_the_ak_are_taken(void **state)
{
	const int salt = RSA_PSS_SALTLEN_DIGEST;
	static const struct {
		const char *name;
		uint16_t scheme, hash;
		const char *md;
		enum err err;
	} rows_of_rsassa[] = {
		{"base", TPM2_ALG_RSASSA, TPM2_ALG_SHA256, "SHA256", OK},
		{"pss for ssa", TPM2_ALG_RSAPSS, TPM2_ALG_SHA256, "SHA256", ERR_REJECTED},
		{"sha1", TPM2_ALG_RSASSA, TPM2_ALG_SHA1, "SHA1", ERR_REJECTED},
		{"sha384", TPM2_ALG_RSASSA, TPM2_ALG_SHA384, "SHA384", ERR_REJECTED},
		{"sha512", TPM2_ALG_RSASSA, TPM2_ALG_SHA512, "SHA512", ERR_REJECTED},
		{"sha384 called sha256", TPM2_ALG_RSASSA, TPM2_ALG_SHA256, "SHA384", ERR_REJECTED},
		{"sha1 called sha256", TPM2_ALG_RSASSA, TPM2_ALG_SHA256, "SHA1", ERR_REJECTED},
		{"no hash", TPM2_ALG_RSASSA, TPM2_ALG_NULL, "SHA256", ERR_REJECTED},
	};
	AUTO(witness_free) struct witness rsa;

	(void)state;
	witness_make(SOFT_RSASSA_2048, false, &rsa);
	for (size_t i = 0; i < COUNT(rows_of_rsassa); i++) {
		AUTO(testimony_free) struct testimony testimony;

		sign_by_hand(&rsa, rows_of_rsassa[i].scheme, rows_of_rsassa[i].hash,
			EVP_get_digestbyname(rows_of_rsassa[i].md), salt, &testimony);
		assert_refused_in(rows_of_rsassa[i].name, judge(&testimony, rsa.ak),
			rows_of_rsassa[i].err, "attest-signature");
	}
}

static void the_salt_of_rsapss_may_have_any_length(void **state)
{
	static const int salts[] = {0, 20, 32, 222};
	AUTO(witness_free) struct witness rsa;
	AUTO(testimony_free) struct testimony plain, sha1;

	(void)state;
	witness_make(SOFT_RSAPSS_2048, false, &rsa);
	for (size_t i = 0; i < COUNT(salts); i++) {
		AUTO(testimony_free) struct testimony testimony;

		sign_by_hand(
			&rsa, TPM2_ALG_RSAPSS, TPM2_ALG_SHA256, EVP_sha256(), salts[i], &testimony);
		assert_ok(judge(&testimony, rsa.ak));
		testimony.signature.p[testimony.signature.n - 1] ^= 1;
		assert_refused(judge(&testimony, rsa.ak), ERR_REJECTED, "attest-signature");
	}
	sign_by_hand(&rsa, TPM2_ALG_RSASSA, TPM2_ALG_SHA256, EVP_sha256(), 0, &plain);
	assert_refused(judge(&plain, rsa.ak), ERR_REJECTED, "attest-signature");
	sign_by_hand(&rsa, TPM2_ALG_RSAPSS, TPM2_ALG_SHA1, EVP_sha1(), 20, &sha1);
	assert_refused(judge(&sha1, rsa.ak), ERR_REJECTED, "attest-signature");
}

/* What follows, or is missing, at any place; sizes adjusted and not. */
static void all_is_read_whole(void **state)
{
	AUTO(testimony_free) struct testimony good;
	struct certify_evidence evidence;
	uint8_t bytes[4096];

	(void)state;
	testify(&home.signer, &home.key, extra, &good);
	for (size_t part = 0; part < 3; part++) {
		const struct buf *parts[] = {&good.public, &good.attest, &good.signature};
		struct view *views[] = {&evidence.public, &evidence.attest, &evidence.signature};
		const char *code = part == 0 ? "tpm-public" : "attest";
		size_t n = parts[part]->n;

		memcpy(bytes, parts[part]->p, n);
		bytes[n] = 0;
		evidence = testimony_view(&good);
		for (size_t cut = 0; cut <= n + 1; cut++) {
			AUTO(certified_free) struct certified *certified = NULL;

			if (cut == n)
				continue;
			*views[part] = (struct view){bytes, cut};
			assert_refused(certified_judge(&evidence, home.ak, extra, &certified),
				ERR_MALFORMED, code);
			if (part == 2 || cut < 2)
				continue;
			bytes[0] = (uint8_t)((cut - 2) >> 8);
			bytes[1] = (uint8_t)(cut - 2);
			assert_refused(certified_judge(&evidence, home.ak, extra, &certified),
				ERR_MALFORMED, code);
			memcpy(bytes, parts[part]->p, 2);
		}
	}
}

static void what_is_far_too_long_is_refused(void **state)
{
	static const uint8_t zeros[20000];
	AUTO(testimony_free) struct testimony good;

	(void)state;
	testify(&home.signer, &home.key, extra, &good);
	for (size_t part = 0; part < 3; part++) {
		AUTO(certified_free) struct certified *certified = NULL;
		struct certify_evidence evidence = testimony_view(&good);
		struct view *views[] = {&evidence.public, &evidence.attest, &evidence.signature};

		*views[part] = VIEW(zeros);
		assert_refused(certified_judge(&evidence, home.ak, extra, &certified),
			ERR_MALFORMED, part == 0 ? "tpm-public" : "attest");
	}
}

/* Every byte is signed, or says how it was signed. */
static void no_flipped_bit_passes(void **state)
{
	AUTO(testimony_free) struct testimony testimony;
	struct buf *parts[] = {&testimony.public, &testimony.attest, &testimony.signature};

	(void)state;
	testify(&home.signer, &home.key, extra, &testimony);
	for (size_t part = 0; part < COUNT(parts); part++)
		for (size_t bit = 0; bit < parts[part]->n * 8; bit++) {
			parts[part]->p[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (judge(&testimony, home.ak) == OK)
				fail_msg("part %zu, bit %zu", part, bit);
			assert_string_not_equal("", why()->code);
			parts[part]->p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
	assert_ok(judge(&testimony, home.ak));
}

static void each_byte_with_each_value_does_no_harm(void **state)
{
	AUTO(testimony_free) struct testimony testimony;
	struct buf *parts[] = {&testimony.attest, &testimony.signature};

	(void)state;
	testify(&home.signer, &home.key, extra, &testimony);
	for (size_t part = 0; part < COUNT(parts); part++)
		for (size_t i = 0; i < parts[part]->n; i++)
			for (unsigned change = 1; change < 256; change += 5) {
				parts[part]->p[i] ^= (uint8_t)change;
				assert_true(judge(&testimony, home.ak) != OK);
				parts[part]->p[i] ^= (uint8_t)change;
			}
}

/* What an AK signs besides statements, as for a renewal. */
static void an_ak_knows_what_it_signed(void **state)
{
	AUTO(testimony_free) struct testimony testimony;
	struct view said, signature;

	(void)state;
	testify(&home.signer, &home.key, extra, &testimony);
	said = (struct view){testimony.attest.p + 2, testimony.attest.n - 2};
	signature = buf_view(&testimony.signature);
	assert_int_equal(TPM2_ALG_ECDSA, ak_scheme(home.ak));
	assert_int_equal(TPM2_ALG_SHA256, ak_hash(home.ak));
	assert_true(ak_signed(home.ak, said, signature));
	assert_false(ak_signed(other.ak, said, signature));
	assert_false(ak_signed(home.ak, (struct view){said.p, said.n - 1}, signature));
	assert_false(ak_signed(home.ak, said, (struct view){signature.p, signature.n - 1}));
	assert_false(ak_signed(home.ak, said, (struct view){NULL, 0}));
}

/* The ticket's digest with a label that no other message of the protocol has. */
static void the_qualifying_data_is_of_one_ticket(void **state)
{
	AUTO(buf_free) struct buf text = BUF(64);
	uint8_t made[32], wanted[32];
	unsigned n = 0;

	(void)state;
	buf_add(&text, VIEW("endorse/1 certify"));
	buf_str(&text, "a ticket");
	assert_int_equal(18 + 8, text.n);
	assert_int_equal(1, EVP_Digest(text.p, text.n, wanted, &n, EVP_sha256(), NULL));
	assert_ok(certify_qualifying(view_str("a ticket"), made));
	assert_memory_equal(wanted, made, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_word_altered_gives_one_reason),
		cmocka_unit_test(another_ak_of_the_same_kind_is_not_this_one),
		cmocka_unit_test(a_key_that_no_ak_spoke_of_is_refused),
		cmocka_unit_test(only_the_scheme_and_hash_of_the_ak_are_taken),
		cmocka_unit_test(the_salt_of_rsapss_may_have_any_length),
		cmocka_unit_test(all_is_read_whole),
		cmocka_unit_test(what_is_far_too_long_is_refused),
		cmocka_unit_test(no_flipped_bit_passes),
		cmocka_unit_test(each_byte_with_each_value_does_no_harm),
		cmocka_unit_test(an_ak_knows_what_it_signed),
		cmocka_unit_test(the_qualifying_data_is_of_one_ticket),
	};

	setenv("TSS2_LOG", "all+none", 0); /* what tss2-mu says of bad bytes */
	return cmocka_run_group_tests(tests, make, unmake);
}
