/* test_chain.c - a path that reaches a root is still to be a good one, of this maker's and of today. */
#include "ca/base/ossl.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/area.h"
#include "tests/unit/trust/pki.h"

#include <openssl/x509v3.h>

#define FOREVER INT64_C(253402300799) /* 9999-12-31T23:59:59Z */
#define WEAK ERR_REJECTED, "ek-weak", "RFC 5280 6.1.3 (a)(1)"
#define EXPIRED ERR_REJECTED, "ek-expired", "RFC 5280 6.1.3 (a)(2)"
#define NOT_YET ERR_REJECTED, "ek-not-yet-valid", "RFC 5280 6.1.3 (a)(2)"
#define MANUFACTURER ERR_REJECTED, "ek-manufacturer", "PROTOCOL ek"

static void sha1_leaf(struct world *world)
{
	struct recipe recipe = recipe_ek(world->ek_key, world->ca, world->ca_key);

	recipe.digest = EVP_sha1();
	world_leaf(world, &recipe);
}

static void sha1_intermediate(struct world *world)
{
	struct recipe recipe =
		recipe_ca("Intermediate", world->ca_key, world->root, world->root_key);

	recipe.digest = EVP_sha1();
	world_ca(world, &recipe);
}

/* Nobody relies on what a root says of itself. */
static void sha1_root(struct world *world)
{
	struct recipe recipe = recipe_root("Root", world->root_key);

	recipe.digest = EVP_sha1();
	world_root(world, &recipe);
}

static void short_root(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *key = EVP_RSA_gen(1024);
	struct recipe recipe = recipe_root("Root", key);

	world_root(world, &recipe);
	recipe = recipe_ca("Intermediate", world->ca_key, world->root, key);
	world_ca(world, &recipe);
}

static void short_intermediate(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *key = EVP_RSA_gen(1024);
	struct recipe recipe = recipe_ca("Intermediate", key, world->root, world->root_key);

	world_ca(world, &recipe);
	recipe = recipe_ek(world->ek_key, world->ca, key);
	world_leaf(world, &recipe);
}

static void leaf_without_key_id(struct world *world)
{
	struct recipe recipe = recipe_ek(world->ek_key, world->ca, world->ca_key);

	recipe.lacks_authority_id = true;
	world_leaf(world, &recipe);
}

static void intermediate_without_key_id(struct world *world)
{
	struct recipe recipe =
		recipe_ca("Intermediate", world->ca_key, world->root, world->root_key);

	recipe.lacks_authority_id = true;
	world_ca(world, &recipe);
}

static void a_chain_proves_something(void **state)
{
	static const struct world_row rows[] = {
		{"sha1-leaf", sha1_leaf, WEAK},
		{"sha1-intermediate", sha1_intermediate, WEAK},
		{"sha1-root", sha1_root, OK, "", ""},
		{"short-root", short_root, WEAK},
		{"short-intermediate", short_intermediate, WEAK},
		{"no-key-id", leaf_without_key_id, ERR_REJECTED, "ek-chain", "RFC 5280 4.2.1.1"},
		{"no-key-id-above", intermediate_without_key_id, ERR_REJECTED, "ek-chain",
			"RFC 5280 4.2.1.1"},
	};

	(void)state;
	world_check(rows, COUNT(rows));
}

static void ca_for(struct world *world, const char *extended_key_usage)
{
	struct recipe recipe =
		recipe_ca("Intermediate", world->ca_key, world->root, world->root_key);

	recipe.extended_key_usage = extended_key_usage;
	world_ca(world, &recipe);
	stack_empty(world->hints);
	stack_add(world->sent, world->ca);
}

static void ca_of_attestation_keys(struct world *world)
{
	ca_for(world, "2.23.133.8.3");
}

static void ca_of_servers(struct world *world)
{
	ca_for(world, "serverAuth,clientAuth");
}

static void ca_of_eks(struct world *world)
{
	ca_for(world, "serverAuth,2.23.133.8.1");
}

static void ca_of_anything(struct world *world)
{
	ca_for(world, "anyExtendedKeyUsage");
}

static void root_of_attestation_keys(struct world *world)
{
	struct recipe recipe = recipe_root("Root", world->root_key);

	recipe.extended_key_usage = "2.23.133.8.3";
	world_root(world, &recipe);
}

static void ca_of_two_usages(struct world *world)
{
	X509_EXTENSION *more = X509V3_EXT_conf_nid(NULL, NULL, NID_ext_key_usage, "2.23.133.8.1");

	ca_for(world, "serverAuth");
	assert_int_equal(1, X509_add_ext(world->ca, more, -1));
	assert_true(X509_sign(world->ca, world->root_key, EVP_sha256()) > 0);
	X509_EXTENSION_free(more);
}

#define PURPOSE ERR_REJECTED, "ek-chain", "RFC 5280 4.2.1.12"

/* Below the roots of some makers are CAs of other things too, and the device says which ones come between. */
static void a_ca_for_other_things_vouches_for_no_ek(void **state)
{
	static const struct world_row rows[] = {
		{"attestation-keys", ca_of_attestation_keys, PURPOSE},
		{"servers", ca_of_servers, PURPOSE},
		{"eks", ca_of_eks, OK, "", ""},
		{"anything", ca_of_anything, OK, "", ""},
		{"root-of-attestation-keys", root_of_attestation_keys, PURPOSE},
		{"two-usages", ca_of_two_usages, ERR_REJECTED, "ek-signature",
			"RFC 5280 6.1.3 (a)(1)"},
	};

	(void)state;
	world_check(rows, COUNT(rows));
}

static void other_makers(struct world *world)
{
	world->manufacturers = "id:49465800,id:53544D20";
}

static void this_maker(struct world *world)
{
	world->manufacturers = "id:53544D20,id:00001014";
}

static void part_of_an_id(struct world *world)
{
	world->manufacturers = "id:000010145,id:0000101";
}

static void a_root_vouches_for_its_own_makers_tpms_only(void **state)
{
	static const struct world_row rows[] = {
		{"others", other_makers, MANUFACTURER},
		{"among-them", this_maker, OK, "", ""},
		{"part-of-an-id", part_of_an_id, MANUFACTURER},
	};

	(void)state;
	world_check(rows, COUNT(rows));
}

static void the_case_of_an_id_does_not_matter(void **state)
{
	static const char *const ids[] = {"id:53544d20", "id:53544D20"};
	AUTO(world_free) struct world world;

	(void)state;
	world_make(&world);
	for (size_t i = 0; i < 4; i++) {
		AUTO(trust_free) struct trust *trust = NULL;
		struct trust_question question = QUESTION(world.leaf);
		struct trust_verdict verdict;

		world.manufacturers = ids[i / 2];
		question.manufacturer = ids[i % 2];
		trust = world_trust(&world);
		assert_ok(trust_verify(trust, &question, &verdict));
		question.manufacturer = NULL;
		assert_refused(
			trust_verify(trust, &question, &verdict), ERR_REJECTED, "ek-manufacturer");
	}
}

static void live(struct world *world, int64_t from, int64_t until)
{
	struct recipe recipe = recipe_ek(world->ek_key, world->ca, world->ca_key);

	recipe.from = from;
	recipe.until = until;
	world_leaf(world, &recipe);
}

static void until_now(struct world *world)
{
	live(world, NOW - YEAR, NOW + 1);
}

static void for_ever(struct world *world)
{
	struct recipe recipe = recipe_root("Root", world->root_key);

	recipe.until = FOREVER;
	world_root(world, &recipe);
	live(world, NOW - YEAR, FOREVER);
}

static void ended(struct world *world)
{
	live(world, NOW - YEAR, NOW - 1);
}

static void to_come(struct world *world)
{
	live(world, NOW + 60, NOW + YEAR);
}

static void to_come_where_ended_is_taken(struct world *world)
{
	to_come(world);
	world->takes_expired = true;
}

static void ended_where_that_is_taken(struct world *world)
{
	ended(world);
	world->takes_expired = true;
}

/* What is taken is that it has ended, and nothing beside. */
static void ended_of_another_maker(struct world *world)
{
	ended_where_that_is_taken(world);
	other_makers(world);
}

static void ended_and_forged(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	struct recipe recipe = recipe_ek(world->ek_key, world->ca, key);

	recipe.until = NOW - 1;
	world_leaf(world, &recipe);
	world->takes_expired = true;
}

static void a_chain_is_of_today(void **state)
{
	static const struct world_row rows[] = {
		{"until-now", until_now, OK, "", ""},
		{"for-ever", for_ever, OK, "", ""},
		{"ended", ended, EXPIRED},
		{"to-come", to_come, NOT_YET},
		{"to-come-taken", to_come_where_ended_is_taken, NOT_YET},
		{"ended-taken", ended_where_that_is_taken, OK, "", ""},
		{"ended-of-another-maker", ended_of_another_maker, MANUFACTURER},
		{"ended-and-forged", ended_and_forged, ERR_REJECTED, "ek-signature",
			"RFC 5280 6.1.3 (a)(1)"},
	};

	(void)state;
	world_check(rows, COUNT(rows));
}

static void what_has_ended_is_a_remark_where_it_is_taken(void **state)
{
	AUTO(world_free) struct world world;
	struct trust_verdict verdict;
	struct recipe recipe;

	(void)state;
	world_make(&world);
	world.takes_expired = true;
	assert_ok(world_verify(&world, &verdict));
	assert_int_equal(0, verdict.remarks);
	assert_string_equal("", verdict.remark);
	ended(&world);
	assert_ok(world_verify(&world, &verdict));
	assert_int_equal(REMARK_EXPIRED, verdict.remarks);
	assert_non_null(strstr(verdict.remark, "the EK certificate ended at 2026-09-21T"));
	assert_string_equal("CN=Intermediate\nCN=Root", verdict.chain);
	/* One that has not ended is better, wherever it comes in the search. */
	for (uint64_t serial = 2; serial < 7; serial++) {
		recipe = recipe_ca("Intermediate", world.ca_key, world.root, world.root_key);
		recipe.serial = serial;
		recipe.until = NOW - 1;
		world_add(world.hints, &recipe);
	}
	live(&world, NOW - YEAR, NOW + YEAR);
	assert_ok(world_verify(&world, &verdict));
	assert_int_equal(0, verdict.remarks);
}

static void each_step_of_a_verdict_is_described(void **state)
{
	AUTO(world_free) struct world world;
	struct trust_verdict verdict;
	uint8_t digest[32];
	unsigned int n = 0;

	(void)state;
	world_make(&world);
	assert_ok(world_verify(&world, &verdict));
	assert_int_equal(2, verdict.steps);
	assert_int_equal(STEP_INTERMEDIATE, verdict.step[0].from);
	assert_string_equal("CN=Intermediate", verdict.step[0].subject);
	assert_string_equal("unit", verdict.step[0].source);
	assert_int_equal(NOW - YEAR, verdict.step[0].not_before);
	assert_int_equal(NOW + 10 * YEAR, verdict.step[0].not_after);
	assert_int_equal(STEP_ANCHOR, verdict.step[1].from);
	assert_int_equal(1, X509_digest(world.root, EVP_sha256(), digest, &n));
	assert_memory_equal(digest, verdict.step[1].sha256, 32);
	stack_empty(world.hints);
	stack_add(world.sent, world.ca);
	assert_ok(world_verify(&world, &verdict));
	assert_int_equal(STEP_SENT, verdict.step[0].from);
	assert_string_equal("", verdict.step[0].source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_proves_something),
		cmocka_unit_test(a_ca_for_other_things_vouches_for_no_ek),
		cmocka_unit_test(a_root_vouches_for_its_own_makers_tpms_only),
		cmocka_unit_test(the_case_of_an_id_does_not_matter),
		cmocka_unit_test(a_chain_is_of_today),
		cmocka_unit_test(what_has_ended_is_a_remark_where_it_is_taken),
		cmocka_unit_test(each_step_of_a_verdict_is_described),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
