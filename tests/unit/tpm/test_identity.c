#include "enroll/tpm/identity.h"

#include "ca/base/ossl.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/area.h"
#include "tests/unit/tpm/weak.h"
#include "tests/unit/trust/pki.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>

#define PROFILE "TCG EK Credential Profile, "

static enum err judge(const struct world *world, const struct ek_evidence *evidence)
{
	AUTO(trust_free) struct trust *trust = world_trust(world);
	AUTO(identity_free) struct identity *identity = NULL;
	enum err err = identity_judge(
		&(struct identity_rules){.trust = trust, .now = world->now}, evidence, &identity);

	assert_true((err == OK) == (identity != NULL));
	return err;
}

/* The world's leaf, with a public area or without one, followed by `after`. */
static enum err judge_leaf(const struct world *world, struct view public, const char *after)
{
	AUTO(buf_free) struct buf der = BUF(16384);

	certificate_add(world->leaf, &der);
	buf_str(&der, after);
	return judge(world, &(struct ek_evidence){buf_view(&der), public, NULL, 0});
}

/* One alteration of a good EK certificate. */
#define CHANGE(name, ...)                                                                          \
	static void name(struct recipe *recipe)                                                    \
	{                                                                                          \
		__VA_ARGS__;                                                                       \
	}
#define NAMES(...)                                                                                 \
	static const struct attribute names[] = {__VA_ARGS__};                                     \
	recipe->names = names;                                                                     \
	recipe->names_n = COUNT(names)
#define MAKER "2.23.133.2.1"
#define MODEL "2.23.133.2.2"
#define VERSION "2.23.133.2.3"
#define LONG_63 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"

CHANGE(nothing, (void)recipe)
CHANGE(one_rdn, recipe->set = -1)
CHANGE(a_subject, recipe->name = "EK of a TPM")
CHANGE(encipherment, recipe->key_usage = "critical,keyEncipherment")
CHANGE(both_usages, recipe->key_usage = "keyAgreement,digitalSignature")
CHANGE(no_constraints, recipe->constraints = NULL)
CHANGE(more_purposes, recipe->extended_key_usage = "1.3.6.1.5.5.7.3.2,2.23.133.8.1")
CHANGE(lower_case_id, NAMES({MAKER, "id:414d4400", 0}, {MODEL, "AMD", 0}, {VERSION, "id:1", 0}))
CHANGE(printable_string, NAMES({MAKER, "id:414D4400", V_ASN1_PRINTABLESTRING},
				 {MODEL, "AMD", V_ASN1_IA5STRING}, {VERSION, "id:1", 0}))
CHANGE(other_names_too, NAMES({MAKER, "id:414D4400", 0}, {MODEL, "AMD", 0}, {VERSION, "id:1", 0},
				{"2.5.4.5", "serial", 0}))
CHANGE(longest_model,
	NAMES({MAKER, "id:414D4400", 0}, {MODEL, LONG_63 "-" LONG_63, 0}, {VERSION, "id:1", 0}))
CHANGE(is_ca, recipe->constraints = "critical,CA:TRUE"; recipe->key_usage = "keyEncipherment")
CHANGE(is_ca_by_usage, recipe->constraints = NULL;
	recipe->key_usage = "keyEncipherment,keyCertSign")
CHANGE(no_purpose, recipe->extended_key_usage = NULL)
CHANGE(other_purpose, recipe->extended_key_usage = "2.23.133.8.3,1.3.6.1.5.5.7.3.1")
CHANGE(no_usage, recipe->key_usage = NULL)
CHANGE(signs_only, recipe->key_usage = "critical,digitalSignature")
CHANGE(no_san, recipe->names = NULL)
CHANGE(empty_san, recipe->names_n = 0)
CHANGE(san_twice, recipe->names_times = 2)
CHANGE(no_maker, NAMES({MODEL, "AMD", 0}, {VERSION, "id:1", 0}))
CHANGE(no_model, NAMES({MAKER, "id:414D4400", 0}, {VERSION, "id:1", 0}))
CHANGE(no_version, NAMES({MAKER, "id:414D4400", 0}, {MODEL, "AMD", 0}))
CHANGE(maker_twice, NAMES({MAKER, "id:414D4400", 0}, {MAKER, "id:494E5443", 0}, {MODEL, "AMD", 0},
			    {VERSION, "id:1", 0}))
CHANGE(maker_in_words, NAMES({MAKER, "AMD", 0}, {MODEL, "AMD", 0}, {VERSION, "id:1", 0}))
CHANGE(maker_too_short, NAMES({MAKER, "id:414D44", 0}, {MODEL, "AMD", 0}, {VERSION, "id:1", 0}))
CHANGE(maker_no_hex, NAMES({MAKER, "id:414D440G", 0}, {MODEL, "AMD", 0}, {VERSION, "id:1", 0}))
CHANGE(not_printable, NAMES({MAKER, "id:414D4400", 0}, {MODEL, "A\nD", 0}, {VERSION, "id:1", 0}))
CHANGE(not_ascii, NAMES({MAKER, "id:414D4400", 0}, {MODEL, "\xc3\x84MD", 0}, {VERSION, "id:1", 0}))
CHANGE(too_long,
	NAMES({MAKER, "id:414D4400", 0}, {MODEL, LONG_63 "--" LONG_63, 0}, {VERSION, "id:1", 0}))
CHANGE(empty_model, NAMES({MAKER, "id:414D4400", 0}, {MODEL, "", 0}, {VERSION, "id:1", 0}))

static const struct {
	const char *name;
	void (*change)(struct recipe *recipe);
	enum err err;
	const char *code;
	const char *clause;
} rows[] = {
	{"base", nothing, OK, "", ""},
	{"one-rdn", one_rdn, OK, "", ""},
	{"subject", a_subject, OK, "", ""},
	{"key-encipherment", encipherment, OK, "", ""},
	{"both-usages", both_usages, OK, "", ""},
	{"no-constraints", no_constraints, OK, "", ""},
	{"more-purposes", more_purposes, OK, "", ""},
	{"lower-case-id", lower_case_id, OK, "", ""},
	{"printable-string", printable_string, OK, "", ""},
	{"other-names-too", other_names_too, OK, "", ""},
	{"longest-model", longest_model, OK, "", ""},
	{"ek-is-ca", is_ca, ERR_REJECTED, "ek-is-ca", PROFILE "Basic Constraints"},
	{"ek-is-ca-by-usage", is_ca_by_usage, ERR_REJECTED, "ek-is-ca",
		PROFILE "Basic Constraints"},
	{"ek-eku-absent", no_purpose, ERR_REJECTED, "ek-eku", PROFILE "Extended Key Usage"},
	{"ek-eku-other", other_purpose, ERR_REJECTED, "ek-eku", PROFILE "Extended Key Usage"},
	{"ek-usage-absent", no_usage, ERR_REJECTED, "ek-usage", PROFILE "Key Usage"},
	{"ek-sign-only", signs_only, ERR_REJECTED, "ek-usage", PROFILE "Key Usage"},
	{"ek-san-absent", no_san, ERR_REJECTED, "ek-san", PROFILE "Subject Alternative Name"},
	{"ek-san-empty", empty_san, ERR_REJECTED, "ek-san", PROFILE "Subject Alternative Name"},
	{"ek-san-extension-twice", san_twice, ERR_MALFORMED, "ek-certificate", "RFC 5280 4.2"},
	{"ek-san-no-manufacturer", no_maker, ERR_REJECTED, "ek-san",
		PROFILE "Subject Alternative Name"},
	{"ek-san-no-model", no_model, ERR_REJECTED, "ek-san", PROFILE "Subject Alternative Name"},
	{"ek-san-no-version", no_version, ERR_REJECTED, "ek-san",
		PROFILE "Subject Alternative Name"},
	{"ek-san-twice", maker_twice, ERR_REJECTED, "ek-san", PROFILE "Subject Alternative Name"},
	{"ek-san-in-words", maker_in_words, ERR_REJECTED, "ek-san",
		PROFILE "Subject Alternative Name"},
	{"ek-san-short-id", maker_too_short, ERR_REJECTED, "ek-san",
		PROFILE "Subject Alternative Name"},
	{"ek-san-no-hex", maker_no_hex, ERR_REJECTED, "ek-san", PROFILE "Subject Alternative Name"},
	{"ek-san-not-printable", not_printable, ERR_REJECTED, "ek-san",
		PROFILE "Subject Alternative Name"},
	{"ek-san-not-ascii", not_ascii, ERR_REJECTED, "ek-san", PROFILE "Subject Alternative Name"},
	{"ek-san-too-long", too_long, ERR_REJECTED, "ek-san", PROFILE "Subject Alternative Name"},
	{"ek-san-empty-model", empty_model, ERR_REJECTED, "ek-san",
		PROFILE "Subject Alternative Name"},
};

static void one_fault_of_the_certificate_gives_one_reason(void **state)
{
	AUTO(world_free) struct world world;

	(void)state;
	world_make(&world);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct recipe recipe = recipe_ek(world.ek_key, world.ca, world.ca_key);

		rows[i].change(&recipe);
		world_leaf(&world, &recipe);
		assert_refused_in(rows[i].name, judge_leaf(&world, view_str(""), ""), rows[i].err,
			rows[i].code);
		if (rows[i].err != OK && strcmp(why()->clause, rows[i].clause) != 0)
			fail_msg("%s: clause \"%s\"", rows[i].name, why()->clause);
	}
}

static void no_certificate_is_a_reason_of_its_own(void **state)
{
	AUTO(world_free) struct world world;

	(void)state;
	world_make(&world);
	assert_refused(
		judge(&world, &(struct ek_evidence){0}), ERR_REJECTED, "ek-certificate-missing");
}

static void bytes_that_are_no_certificate_are_malformed(void **state)
{
	AUTO(world_free) struct world world;

	(void)state;
	world_make(&world);
	assert_refused(judge_leaf(&world, view_str(""), "\x42"), ERR_MALFORMED, "ek-certificate");
	assert_string_equal("RFC 5280 4.1", why()->clause);
	assert_refused(judge(&world, &(struct ek_evidence){.certificate = view_str("garbage")}),
		ERR_MALFORMED, "ek-certificate");
}

/* A P-256 key with its curve spelled out; read back, so that nothing else is remembered. */
static EVP_PKEY *explicit_curve(void)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	AUTO(ossl_free) uint8_t *der = NULL;
	const uint8_t *p;
	int n;

	assert_int_equal(1, EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING,
				    OSSL_PKEY_EC_ENCODING_EXPLICIT));
	n = i2d_PUBKEY(key, &der);
	p = der;
	return d2i_PUBKEY(NULL, &p, n);
}

static void a_key_without_a_template_is_refused(void **state)
{
	AUTO(world_free) struct world world;
	EVP_PKEY *keys[] = {rsa_of_bits(1024, 65537), rsa_of_bits(2560, 65537),
		rsa_of_bits(2048, 3), rsa_of_bits(3072, 3), EVP_EC_gen("P-224"),
		EVP_EC_gen("secp256k1"), EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
		explicit_curve()};

	(void)state;
	world_make(&world);
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct recipe recipe = recipe_ek(keys[i], world.ca, world.ca_key);

		world_leaf(&world, &recipe);
		assert_refused(judge_leaf(&world, view_str(""), ""), ERR_REJECTED, "ek-key");
		assert_string_equal(PROFILE "Endorsement Key", why()->clause);
		EVP_PKEY_free(keys[i]);
	}
}

/* TPM 1.2 parts name id-RSAES-OAEP as their key's algorithm; OpenSSL makes no key of that. */
static void a_key_for_oaep_is_refused_by_name(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(pkey_free) EVP_PKEY *key = rsa_of_bits(2048, 65537);
	struct recipe recipe;
	uint8_t *bits = NULL;
	int n = i2d_PublicKey(key, &bits);

	(void)state;
	world_make(&world);
	recipe = recipe_ek(key, world.ca, world.ca_key);
	world_leaf(&world, &recipe);
	assert_ok(judge_leaf(&world, view_str(""), ""));
	assert_int_equal(1, X509_PUBKEY_set0_param(X509_get_X509_PUBKEY(world.leaf),
				    OBJ_nid2obj(NID_rsaesOaep), V_ASN1_NULL, NULL, bits, n));
	assert_true(X509_sign(world.leaf, world.ca_key, EVP_sha256()) > 0);
	assert_refused(judge_leaf(&world, view_str(""), ""), ERR_REJECTED, "ek-tpm12");
	assert_non_null(strstr(why()->sentence, "TPM 1.2"));
}

static void a_key_with_the_roca_fingerprint_is_refused(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(pkey_free) EVP_PKEY *key = weak_key();
	struct recipe recipe;

	(void)state;
	world_make(&world);
	recipe = recipe_ek(key, world.ca, world.ca_key);
	world_leaf(&world, &recipe);
	assert_refused(judge_leaf(&world, view_str(""), ""), ERR_REJECTED, "ek-roca");
	assert_string_equal("CVE-2017-15361", why()->clause);
}

/* The public area of `key` as the template has it, altered. */
static enum err judge_public(
	const struct world *world, EVP_PKEY *key, void (*change)(TPMT_PUBLIC *), const char *after)
{
	AUTO(buf_free) struct buf rebuilt = BUF(1024), bytes = BUF(1024);
	TPM2B_PUBLIC whole = {0};
	size_t used = 0;

	assert_ok(ek_public_build(ek_template_of(KEY_P256), key, &rebuilt));
	Tss2_MU_TPM2B_PUBLIC_Unmarshal(rebuilt.p, rebuilt.n, &used, &whole);
	if (change != NULL)
		change(&whole.publicArea);
	area_add(&whole.publicArea, &bytes);
	buf_str(&bytes, after);
	return judge_leaf(world, buf_view(&bytes), "");
}

static void symmetric_null(TPMT_PUBLIC *area)
{
	area->parameters.eccDetail.symmetric.algorithm = TPM2_ALG_NULL;
}

static void name_alg_sha1(TPMT_PUBLIC *area)
{
	area->nameAlg = TPM2_ALG_SHA1;
}

static void a_sent_public_area_must_be_the_certificates(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(pkey_free) EVP_PKEY *other = key_pair(KEY_P256);

	(void)state;
	world_make(&world);
	assert_ok(judge_public(&world, world.ek_key, NULL, ""));
	assert_refused(judge_public(&world, other, NULL, ""), ERR_REJECTED, "ek-mismatch");
	assert_refused(judge_public(&world, world.ek_key, symmetric_null, ""), ERR_REJECTED,
		"ek-template");
	assert_refused(
		judge_public(&world, world.ek_key, name_alg_sha1, ""), ERR_REJECTED, "ek-template");
	assert_refused(
		judge_public(&world, world.ek_key, NULL, "\xff"), ERR_MALFORMED, "tpm-public");
}

/* Two templates have this kind of key: what was sent tells which, what was not sent is the low one. */
static void a_sent_public_area_chooses_between_two_templates(void **state)
{
	static const size_t templates[] = {1, 3}; /* L-2, H-2 */
	AUTO(world_free) struct world world;
	AUTO(trust_free) struct trust *trust = NULL;
	AUTO(buf_free) struct buf der = BUF(8192);

	(void)state;
	world_make(&world);
	trust = world_trust(&world);
	certificate_add(world.leaf, &der);
	for (size_t i = 0; i < COUNT(templates); i++) {
		AUTO(buf_free) struct buf public = BUF(1024);
		AUTO(identity_free) struct identity *identity = NULL;

		assert_ok(ek_public_build(&ek_templates[templates[i]], world.ek_key, &public));
		assert_ok(identity_judge(&(struct identity_rules){.trust = trust, .now = NOW},
			&(struct ek_evidence){
				.certificate = buf_view(&der), .public = buf_view(&public)},
			&identity));
		assert_view_equal(buf_view(&public), identity_public(identity));
	}
}

static void a_judged_ek_tells_what_it_is(void **state)
{
	(void)state;
	for (enum key_kind kind = KEY_RSA_2048; kind <= KEY_P521; kind++) {
		AUTO(world_free) struct world world;
		AUTO(pkey_free) EVP_PKEY *key = key_public_half(kind);
		AUTO(buf_free) struct buf der = BUF(8192), public = BUF(1024);
		AUTO(identity_free) struct identity *identity = NULL;
		AUTO(trust_free) struct trust *trust = NULL;
		struct recipe recipe;
		uint8_t digest[32];

		world_make(&world);
		recipe = recipe_ek(key, world.ca, world.ca_key);
		world_leaf(&world, &recipe);
		trust = world_trust(&world);
		certificate_add(world.leaf, &der);
		assert_ok(identity_judge(&(struct identity_rules){.trust = trust, .now = NOW},
			&(struct ek_evidence){.certificate = buf_view(&der)}, &identity));
		assert_int_equal(kind, identity_kind(identity));
		assert_ok(ek_public_build(ek_template_of(kind), key, &public));
		assert_view_equal(buf_view(&public), identity_public(identity));
		assert_view_equal(buf_view(&der), identity_certificate(identity));
		assert_ok(spki_sha256(key, digest));
		assert_memory_equal(digest, identity_ek_digest(identity), sizeof(digest));
		assert_string_equal("id:00001014", identity_manufacturer(identity));
		assert_string_equal("swtpm", identity_model(identity));
		assert_string_equal("id:20191023", identity_version(identity));
		assert_string_equal("CN=Intermediate\nCN=Root", identity_trust(identity)->chain);
	}
}

static void a_chain_that_leads_nowhere_or_is_over_is_refused(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(pkey_free) EVP_PKEY *other = key_pair(KEY_P256);
	struct recipe recipe = recipe_root("Other root", other);

	(void)state;
	world_make(&world);
	world.now = NOW + 11 * YEAR;
	assert_refused(judge_leaf(&world, view_str(""), ""), ERR_REJECTED, "ek-expired");
	world.now = NOW;
	world_root(&world, &recipe);
	assert_refused(judge_leaf(&world, view_str(""), ""), ERR_REJECTED, "ek-untrusted");
	assert_string_equal("RFC 5280 6.1", why()->clause);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_fault_of_the_certificate_gives_one_reason),
		cmocka_unit_test(no_certificate_is_a_reason_of_its_own),
		cmocka_unit_test(bytes_that_are_no_certificate_are_malformed),
		cmocka_unit_test(a_key_without_a_template_is_refused),
		cmocka_unit_test(a_key_for_oaep_is_refused_by_name),
		cmocka_unit_test(a_key_with_the_roca_fingerprint_is_refused),
		cmocka_unit_test(a_sent_public_area_must_be_the_certificates),
		cmocka_unit_test(a_sent_public_area_chooses_between_two_templates),
		cmocka_unit_test(a_judged_ek_tells_what_it_is),
		cmocka_unit_test(a_chain_that_leads_nowhere_or_is_over_is_refused),
	};

	setenv("TSS2_LOG", "all+none", 0); /* what tss2-mu says of bad bytes */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
