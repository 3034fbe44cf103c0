#include "enroll/tpm/identity.h"

#include "ca/base/ossl.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/area.h"
#include "tests/unit/tpm/weak.h"
#include "tests/unit/trust/pki.h"

/* A world in which nobody has heard of the leaf's CA. */
static void estranged_world(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *other = key_pair(KEY_P256);
	struct recipe recipe = recipe_root("Somebody else", other);

	world_make(world);
	world_root(world, &recipe);
	stack_empty(world->hints);
}

static enum err judge(const struct world *world, const struct identity_rules *asked,
	const struct ek_evidence *evidence, struct identity **out)
{
	AUTO(trust_free) struct trust *trust = world_trust(world);
	struct identity_rules rules = *asked;
	enum err err;

	rules.trust = trust;
	rules.now = world->now;
	err = identity_judge(&rules, evidence, out);
	assert_true((err == OK) == (*out != NULL));
	return err;
}

static enum err judge_leaf(
	const struct world *world, const struct identity_rules *rules, struct identity **out)
{
	AUTO(buf_free) struct buf der = BUF(16384);

	certificate_add(world->leaf, &der);
	return judge(world, rules, &(struct ek_evidence){.certificate = buf_view(&der)}, out);
}

static const struct identity_rules strict = {0}, open_minded = {.takes_unproven = true},
				   lenient = {.takes_unproven = true, .takes_expired = true};

static void an_ek_of_an_unknown_root_is_unproven_where_that_is_taken(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(identity_free) struct identity *refused = NULL, *held = NULL;
	uint8_t digest[32];

	(void)state;
	estranged_world(&world);
	assert_refused(judge_leaf(&world, &strict, &refused), ERR_REJECTED, "ek-untrusted");
	assert_ok(judge_leaf(&world, &open_minded, &held));
	assert_int_equal(TRUST_UNPROVEN, identity_trust(held)->class);
	assert_string_equal("", identity_trust(held)->source);
	assert_int_equal(0, identity_trust(held)->steps);
	assert_string_equal("ek-untrusted", identity_doubt(held)->code);
	assert_true(strlen(identity_doubt(held)->sentence) > 0);
	assert_ok(spki_sha256(world.ek_key, digest));
	assert_memory_equal(digest, identity_ek_digest(held), sizeof(digest));
}

/* What it says of itself is hearsay, also when one of ours vouches for it. */
static void an_unproven_certificate_proves_nothing_of_what_it_says(void **state)
{
	static const enum trust_class classes[] = {
		TRUST_UNPROVEN, TRUST_ALLOW_LIST, TRUST_APPROVED};
	AUTO(world_free) struct world world;

	(void)state;
	estranged_world(&world);
	for (size_t i = 0; i < COUNT(classes); i++) {
		AUTO(identity_free) struct identity *held = NULL;

		assert_ok(judge_leaf(&world, &open_minded, &held));
		if (classes[i] != TRUST_UNPROVEN)
			assert_ok(identity_vouch(held, classes[i], "a list"));
		assert_string_equal("", identity_manufacturer(held));
		assert_string_equal("", identity_model(held));
		assert_string_equal("", identity_version(held));
		assert_string_equal("id:00001014", identity_claimed_manufacturer(held));
		assert_string_equal("swtpm", identity_claimed_model(held));
		assert_string_equal("id:20191023", identity_claimed_version(held));
	}
}

static void a_proven_one_is_not_made_unproven(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(identity_free) struct identity *identity = NULL;

	(void)state;
	world_make(&world);
	assert_ok(judge_leaf(&world, &open_minded, &identity));
	assert_int_equal(TRUST_OPERATOR_IMPORT, identity_trust(identity)->class);
	assert_null(identity_doubt(identity));
	assert_string_equal("swtpm", identity_model(identity));
	assert_refused(
		identity_vouch(identity, TRUST_APPROVED, "somebody"), ERR_INTERNAL, "ek-vouched");
	assert_int_equal(TRUST_OPERATOR_IMPORT, identity_trust(identity)->class);
}

static void somebody_may_vouch_once_and_only_as_one_of_ours(void **state)
{
	static const enum trust_class never[] = {
		TRUST_MANUFACTURER, TRUST_OPERATOR_IMPORT, TRUST_UNPROVEN};
	AUTO(world_free) struct world world;
	AUTO(identity_free) struct identity *held = NULL;

	(void)state;
	estranged_world(&world);
	assert_ok(judge_leaf(&world, &open_minded, &held));
	for (size_t i = 0; i < COUNT(never); i++)
		assert_refused(
			identity_vouch(held, never[i], "somebody"), ERR_INTERNAL, "ek-vouched");
	assert_int_equal(TRUST_UNPROVEN, identity_trust(held)->class);
	assert_ok(identity_vouch(held, TRUST_ALLOW_LIST, "manifest of May"));
	assert_int_equal(TRUST_ALLOW_LIST, identity_trust(held)->class);
	assert_string_equal("manifest of May", identity_trust(held)->source);
	assert_null(identity_doubt(held));
	assert_refused(identity_vouch(held, TRUST_APPROVED, "admin"), ERR_INTERNAL, "ek-vouched");
}

/* One more fault beside the unknown root: then it is refused for that one. */
#define CHANGE(name, ...)                                                                          \
	static void name(struct recipe *recipe)                                                    \
	{                                                                                          \
		__VA_ARGS__;                                                                       \
	}

CHANGE(is_ca, recipe->constraints = "critical,CA:TRUE"; recipe->key_usage = "keyEncipherment")
CHANGE(other_purpose, recipe->extended_key_usage = "2.23.133.8.3")
CHANGE(signs_only, recipe->key_usage = "critical,digitalSignature")
CHANGE(no_san, recipe->names = NULL)
CHANGE(san_twice, recipe->names_times = 2)
CHANGE(expired, recipe->until = NOW - 1)
CHANGE(not_yet, recipe->from = NOW + 60)
CHANGE(odd_key, recipe->key = rsa_of_bits(1024, 65537))
CHANGE(roca_key, recipe->key = weak_key())

static const struct {
	void (*change)(struct recipe *recipe);
	enum err err;
	const char *code;
} faults[] = {
	{is_ca, ERR_REJECTED, "ek-is-ca"},
	{other_purpose, ERR_REJECTED, "ek-eku"},
	{signs_only, ERR_REJECTED, "ek-usage"},
	{no_san, ERR_REJECTED, "ek-san"},
	{san_twice, ERR_MALFORMED, "ek-certificate"},
	{expired, ERR_REJECTED, "ek-expired"},
	{not_yet, ERR_REJECTED, "ek-not-yet-valid"},
	{odd_key, ERR_REJECTED, "ek-key"},
	{roca_key, ERR_REJECTED, "ek-roca"},
};

static void an_unknown_root_is_forgiven_only_alone(void **state)
{
	AUTO(world_free) struct world world;

	(void)state;
	estranged_world(&world);
	for (size_t i = 0; i < COUNT(faults); i++) {
		struct recipe recipe = recipe_ek(world.ek_key, world.ca, world.ca_key);
		AUTO(identity_free) struct identity *held = NULL;

		faults[i].change(&recipe);
		world_leaf(&world, &recipe);
		assert_refused_in(faults[i].code, judge_leaf(&world, &open_minded, &held),
			faults[i].err, faults[i].code);
		if (recipe.key != world.ek_key)
			EVP_PKEY_free(recipe.key);
	}
}

static void a_sent_public_area_is_judged_for_an_unproven_one_too(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(pkey_free) EVP_PKEY *other = key_pair(KEY_P256);
	AUTO(buf_free) struct buf der = BUF(8192), public = BUF(1024);
	AUTO(identity_free) struct identity *held = NULL;

	(void)state;
	estranged_world(&world);
	certificate_add(world.leaf, &der);
	assert_ok(ek_public_build(ek_template_of(KEY_P256), other, &public));
	assert_refused(judge(&world, &open_minded,
			       &(struct ek_evidence){
				       .certificate = buf_view(&der), .public = buf_view(&public)},
			       &held),
		ERR_REJECTED, "ek-mismatch");
}

static void an_expired_unproven_one_is_taken_with_a_remark_where_that_is_taken(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(identity_free) struct identity *expired_one = NULL, *fresh = NULL, *early = NULL;
	struct recipe recipe;

	(void)state;
	estranged_world(&world);
	assert_ok(judge_leaf(&world, &lenient, &fresh));
	assert_int_equal(0, identity_trust(fresh)->remarks);
	recipe = recipe_ek(world.ek_key, world.ca, world.ca_key);
	recipe.until = NOW + 1;
	world_leaf(&world, &recipe);
	assert_ok(judge_leaf(&world, &open_minded, &early));
	world.now = NOW + 1;
	assert_ok(judge_leaf(&world, &lenient, &expired_one));
	assert_int_equal(REMARK_EXPIRED, identity_trust(expired_one)->remarks);
	assert_string_equal("the EK certificate has expired", identity_trust(expired_one)->remark);
	recipe.until = NOW + YEAR;
	recipe.from = NOW + 60;
	world_leaf(&world, &recipe);
	identity_free(&early);
	assert_refused(judge_leaf(&world, &lenient, &early), ERR_REJECTED, "ek-not-yet-valid");
}

static enum err judge_with(const struct world *world, struct view sent, struct identity **out)
{
	AUTO(buf_free) struct buf der = BUF(8192);

	certificate_add(world->leaf, &der);
	return judge(world, &open_minded,
		&(struct ek_evidence){.certificate = buf_view(&der), .chain = &sent, .chain_n = 1},
		out);
}

static void what_an_unproven_one_sends_with_it_is_judged_too(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(buf_free) struct buf ca = BUF(8192);
	AUTO(identity_free) struct identity *held = NULL, *refused = NULL;

	(void)state;
	estranged_world(&world);
	certificate_add(world.ca, &ca);
	assert_ok(judge_with(&world, buf_view(&ca), &held));
	assert_int_equal(TRUST_UNPROVEN, identity_trust(held)->class);
	assert_refused(judge_with(&world, view_str("garbage"), &refused), ERR_REJECTED, "ek-chain");
}

static enum err judge_bare(const struct identity_rules *rules, EVP_PKEY *key,
	const struct ek_template *tmpl, void (*change)(TPMT_PUBLIC *), struct identity **out)
{
	AUTO(world_free) struct world world;
	AUTO(buf_free) struct buf built = BUF(1024), public = BUF(1024);
	TPM2B_PUBLIC whole = {0};
	size_t used = 0;

	world_make(&world);
	assert_ok(ek_public_build(tmpl, key, &built));
	Tss2_MU_TPM2B_PUBLIC_Unmarshal(built.p, built.n, &used, &whole);
	if (change != NULL)
		change(&whole.publicArea);
	area_add(&whole.publicArea, &public);
	return judge(&world, rules, &(struct ek_evidence){.public = buf_view(&public)}, out);
}

static void without_a_certificate_the_public_area_is_the_ek(void **state)
{
	(void)state;
	for (const struct ek_template *t = ek_templates; t->name != NULL; t++) {
		AUTO(pkey_free) EVP_PKEY *key = key_public_half(t->kind);
		AUTO(identity_free) struct identity *held = NULL, *refused = NULL;
		AUTO(buf_free) struct buf public = BUF(1024);
		uint8_t digest[32];

		assert_refused(judge_bare(&strict, key, t, NULL, &refused), ERR_REJECTED,
			"ek-certificate-missing");
		assert_ok(judge_bare(&open_minded, key, t, NULL, &held));
		assert_int_equal(TRUST_UNPROVEN, identity_trust(held)->class);
		assert_string_equal("ek-certificate-missing", identity_doubt(held)->code);
		assert_int_equal(t->kind, identity_kind(held));
		assert_ok(ek_public_build(t, key, &public));
		assert_view_equal(buf_view(&public), identity_public(held));
		assert_ok(spki_sha256(key, digest));
		assert_memory_equal(digest, identity_ek_digest(held), sizeof(digest));
		assert_int_equal(0, identity_certificate(held).n);
		assert_string_equal("", identity_manufacturer(held));
		assert_string_equal("", identity_claimed_manufacturer(held));
		assert_ok(identity_vouch(held, TRUST_APPROVED, "admin"));
		assert_null(identity_doubt(held));
	}
}

static void symmetric_null(TPMT_PUBLIC *area)
{
	area->parameters.eccDetail.symmetric.algorithm = TPM2_ALG_NULL;
}

static void name_alg_sha1(TPMT_PUBLIC *area)
{
	area->nameAlg = TPM2_ALG_SHA1;
}

static void may_sign(TPMT_PUBLIC *area)
{
	area->objectAttributes |= TPMA_OBJECT_SIGN_ENCRYPT;
}

static void other_policy(TPMT_PUBLIC *area)
{
	area->authPolicy.buffer[0] ^= 1;
}

static void off_the_curve(TPMT_PUBLIC *area)
{
	area->unique.ecc.y.buffer[0] ^= 1;
}

static void without_a_certificate_the_template_and_the_key_are_known(void **state)
{
	static const struct {
		void (*change)(TPMT_PUBLIC *area);
		const char *code;
	} cases[] = {{symmetric_null, "ek-template"}, {name_alg_sha1, "ek-template"},
		{may_sign, "ek-template"}, {other_policy, "ek-template"},
		{off_the_curve, "ek-key"}};
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256), *weak = weak_key();
	AUTO(identity_free) struct identity *held = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_refused_in(cases[i].code,
			judge_bare(&open_minded, key, ek_template_of(KEY_P256), cases[i].change,
				&held),
			ERR_REJECTED, cases[i].code);
	assert_refused(judge_bare(&open_minded, weak, ek_template_of(KEY_RSA_2048), NULL, &held),
		ERR_REJECTED, "ek-roca");
}

static void neither_certificate_nor_public_area_is_a_reason_of_its_own(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(identity_free) struct identity *held = NULL;

	(void)state;
	world_make(&world);
	assert_refused(judge(&world, &open_minded, &(struct ek_evidence){0}, &held), ERR_REJECTED,
		"ek-public-missing");
	assert_refused(judge(&world, &open_minded,
			       &(struct ek_evidence){.public = view_str("garbage")}, &held),
		ERR_MALFORMED, "tpm-public");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ek_of_an_unknown_root_is_unproven_where_that_is_taken),
		cmocka_unit_test(an_unproven_certificate_proves_nothing_of_what_it_says),
		cmocka_unit_test(a_proven_one_is_not_made_unproven),
		cmocka_unit_test(somebody_may_vouch_once_and_only_as_one_of_ours),
		cmocka_unit_test(an_unknown_root_is_forgiven_only_alone),
		cmocka_unit_test(a_sent_public_area_is_judged_for_an_unproven_one_too),
		cmocka_unit_test(
			an_expired_unproven_one_is_taken_with_a_remark_where_that_is_taken),
		cmocka_unit_test(what_an_unproven_one_sends_with_it_is_judged_too),
		cmocka_unit_test(without_a_certificate_the_public_area_is_the_ek),
		cmocka_unit_test(without_a_certificate_the_template_and_the_key_are_known),
		cmocka_unit_test(neither_certificate_nor_public_area_is_a_reason_of_its_own),
	};

	setenv("TSS2_LOG", "all+none", 0); /* what tss2-mu says of bad bytes */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
