/* test_revocation.c - what a maker took back is refused, and nobody else's word takes anything back. */
#include "ca/base/ossl.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/area.h"
#include "tests/unit/trust/lists.h"
#include "tests/unit/trust/pki.h"

#include <openssl/x509v3.h>

#define DAY 86400
#define REVOKED ERR_REJECTED, "ek-revoked", "RFC 5280 6.3"
#define UNKNOWN ERR_REJECTED, "ek-chain", "RFC 5280 6.3.3"
#define GOOD OK, "", ""

/* Every certificate gets a serial number of its own: the lists tell them apart by nothing else. */
static void number(struct world *world)
{
	struct recipe recipe =
		recipe_ca("Intermediate", world->ca_key, world->root, world->root_key);

	recipe.serial = 11;
	world_ca(world, &recipe);
	recipe = recipe_ek(world->ek_key, world->ca, world->ca_key);
	recipe.serial = 12;
	world_leaf(world, &recipe);
}

/* The intermediate's list, with the leaf in it. */
static struct list_recipe leaf_list(struct world *world)
{
	number(world);
	return (struct list_recipe){
		.issuer = world->ca, .key = world->ca_key, .revoked = world->leaf};
}

static void leaf_revoked(struct world *world)
{
	struct list_recipe recipe = leaf_list(world);

	world_list(world, &recipe);
}

static void intermediate_revoked(struct world *world)
{
	number(world);
	world_list(world,
		&(struct list_recipe){
			.issuer = world->root, .key = world->root_key, .revoked = world->ca});
}

static void intermediate_revoked_and_sent(struct world *world)
{
	intermediate_revoked(world);
	stack_empty(world->hints);
	stack_add(world->sent, world->ca);
}

static void another_revoked(struct world *world)
{
	struct list_recipe recipe = leaf_list(world);

	recipe.revoked = world->root;
	world_list(world, &recipe);
}

static void none_revoked(struct world *world)
{
	struct list_recipe recipe = leaf_list(world);

	recipe.revoked = NULL;
	world_list(world, &recipe);
}

/* The same serial number, of the root's. */
static void same_serial_of_another_issuer(struct world *world)
{
	number(world);
	world_list(world,
		&(struct list_recipe){
			.issuer = world->root, .key = world->root_key, .revoked = world->leaf});
}

static void without_key_id(struct world *world)
{
	struct list_recipe recipe = leaf_list(world);

	recipe.lacks_key_id = true;
	world_list(world, &recipe);
}

static void past_its_update(struct world *world)
{
	struct list_recipe recipe = leaf_list(world);

	recipe.made = NOW - 2 * DAY;
	recipe.due = NOW - DAY;
	world_list(world, &recipe);
}

static void made_tomorrow(struct world *world)
{
	struct list_recipe recipe = leaf_list(world);

	recipe.made = NOW + DAY;
	recipe.due = NOW + 2 * DAY;
	world_list(world, &recipe);
}

/* A hold that was lifted: the newer list does not have it. */
static void older_list(struct world *world)
{
	struct list_recipe recipe = leaf_list(world);

	recipe.made = NOW - 2 * DAY;
	recipe.reason = 6;
	world_list(world, &recipe);
	recipe.made = NOW - DAY;
	recipe.revoked = NULL;
	world_list(world, &recipe);
}

static void newer_list(struct world *world)
{
	struct list_recipe recipe = leaf_list(world);

	recipe.revoked = NULL;
	recipe.made = NOW - 2 * DAY;
	world_list(world, &recipe);
	recipe.revoked = world->leaf;
	recipe.made = NOW - DAY;
	world_list(world, &recipe);
}

/* What is not signed replaces nothing. */
static void newer_list_forged(struct world *world)
{
	struct list_recipe recipe = leaf_list(world);

	recipe.made = NOW - 2 * DAY;
	world_list(world, &recipe);
	recipe.made = NOW - DAY;
	recipe.revoked = NULL;
	recipe.key = world->root_key;
	world_list(world, &recipe);
}

/* Another CA of the same name takes its own back, and no other's. */
static void namesakes_list(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	struct list_recipe list = leaf_list(world);
	struct recipe recipe = recipe_ca("Intermediate", key, world->root, world->root_key);

	list.issuer = world_add(world->hints, &recipe);
	list.key = key;
	world_list(world, &list);
	list.lacks_key_id = true;
	list.made = NOW - 2 * DAY;
	world_list(world, &list);
}

/* The CA's certificate of before, of the same key and by another identifier. */
static X509 *other_life(struct world *world)
{
	static const uint8_t other[] = {1, 2, 3, 4};
	ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
	X509 *cert = X509_dup(world->ca);

	assert_int_equal(1, ASN1_OCTET_STRING_set(id, other, sizeof(other)));
	assert_int_equal(
		1, X509_add1_ext_i2d(cert, NID_subject_key_identifier, id, 0, X509V3_ADD_REPLACE));
	assert_true(X509_sign(cert, world->root_key, EVP_sha256()) > 0);
	ASN1_OCTET_STRING_free(id);
	return cert;
}

static void list_of_another_life(struct world *world)
{
	struct list_recipe recipe = leaf_list(world);

	recipe.issuer = other_life(world);
	world_list(world, &recipe);
	assert_true(sk_X509_push(world->hints, recipe.issuer) > 0);
}

/* The signature says whose it is, though nobody has the certificate that it names. */
static void list_of_a_life_unknown(struct world *world)
{
	list_of_another_life(world);
	X509_free(sk_X509_pop(world->hints));
}

static void ended_list_of_a_sent_ca(struct world *world)
{
	leaf_revoked(world);
	stack_empty(world->hints);
	stack_add(world->sent, world->ca);
}

/* Its CA is sent, so that nobody could tell when it was loaded. */
static void forged_list_of_a_sent_ca(struct world *world)
{
	struct list_recipe recipe = leaf_list(world);

	recipe.revoked = NULL;
	recipe.key = world->root_key;
	world_list(world, &recipe);
	stack_empty(world->hints);
	stack_add(world->sent, world->ca);
}

static void forged_list(struct world *world)
{
	struct list_recipe recipe = leaf_list(world);

	recipe.key = world->root_key;
	world_list(world, &recipe);
}

static void delta_list(struct world *world)
{
	struct list_recipe recipe = leaf_list(world);

	recipe.is_delta = true;
	world_list(world, &recipe);
}

static void a_certificate_on_its_issuers_list_is_refused(void **state)
{
	static const struct world_row rows[] = {
		{"leaf", leaf_revoked, REVOKED},
		{"intermediate", intermediate_revoked, REVOKED},
		{"intermediate-sent", intermediate_revoked_and_sent, REVOKED},
		{"another", another_revoked, GOOD},
		{"none", none_revoked, GOOD},
		{"serial-of-another-issuer", same_serial_of_another_issuer, GOOD},
		{"without-key-id", without_key_id, REVOKED},
		{"past-its-update", past_its_update, REVOKED},
		{"made-tomorrow", made_tomorrow, REVOKED},
		{"older-list", older_list, GOOD},
		{"newer-list", newer_list, REVOKED},
		{"newer-list-forged", newer_list_forged, REVOKED},
		{"namesakes-list", namesakes_list, GOOD},
		{"list-of-another-life", list_of_another_life, REVOKED},
		{"list-of-a-life-unknown", list_of_a_life_unknown, REVOKED},
		{"list-of-a-sent-ca", ended_list_of_a_sent_ca, REVOKED},
		{"forged-list-of-a-sent-ca", forged_list_of_a_sent_ca, UNKNOWN},
		{"forged-list", forged_list, GOOD},
		{"delta-list", delta_list, GOOD},
	};

	(void)state;
	world_check(rows, COUNT(rows));
}

/* Somebody who signs lists for others, with a certificate by `above`. */
static struct recipe list_signer(EVP_PKEY *key, X509 *above, EVP_PKEY *above_key)
{
	struct recipe recipe = recipe_ca("List signer", key, above, above_key);

	recipe.constraints = "critical,CA:FALSE";
	recipe.key_usage = "critical,cRLSign";
	recipe.serial = 21;
	return recipe;
}

static struct list_recipe indirect_list(struct world *world, EVP_PKEY *key)
{
	struct recipe recipe;

	number(world);
	recipe = list_signer(key, world->root, world->root_key);
	return (struct list_recipe){.issuer = world_add(world->hints, &recipe),
		.key = key,
		.is_indirect = true,
		.revoked = world->leaf,
		.entry_issuer = world->ca};
}

static void indirect(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	struct list_recipe recipe = indirect_list(world, key);

	world_list(world, &recipe);
}

static void indirect_of_the_intermediate(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	struct list_recipe recipe = indirect_list(world, key);

	recipe.revoked = world->ca;
	recipe.entry_issuer = world->root;
	world_list(world, &recipe);
}

/* An entry's issuer is that of the entry before it, until another is named (RFC 5280 5.3.3). */
static void indirect_after_another(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	struct list_recipe recipe = indirect_list(world, key);

	recipe.decoy = world->ca;
	world_list(world, &recipe);
}

static void indirect_of_another_issuer(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	struct list_recipe recipe = indirect_list(world, key);

	recipe.entry_issuer = world->root;
	world_list(world, &recipe);
}

/* Without a name the entry is of the list's own issuer. */
static void indirect_without_entry_issuer(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	struct list_recipe recipe = indirect_list(world, key);

	recipe.entry_issuer = NULL;
	world_list(world, &recipe);
}

static void indirect_by_the_root(struct world *world)
{
	number(world);
	world_list(world, &(struct list_recipe){.issuer = world->root,
				  .key = world->root_key,
				  .is_indirect = true,
				  .revoked = world->leaf,
				  .entry_issuer = world->ca});
}

static void indirect_signer_sent(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	struct list_recipe recipe = indirect_list(world, key);

	stack_add(world->sent, recipe.issuer);
	X509_free(sk_X509_pop(world->hints));
	world_list(world, &recipe);
}

static void indirect_signer_unknown(struct world *world)
{
	indirect_signer_sent(world);
	stack_empty(world->sent);
}

/* A manufacturer's word about another's TPMs. */
static void indirect_under_another_root(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256), *root_key = key_pair(KEY_P256);
	struct list_recipe list = indirect_list(world, key);
	struct recipe recipe = recipe_root("Another maker", root_key);
	X509 *root = world_add(world->roots, &recipe);

	X509_free(sk_X509_pop(world->hints));
	recipe = list_signer(key, root, root_key);
	list.issuer = world_add(world->hints, &recipe);
	world_list(world, &list);
}

/* Everything as above, and the list does not say that it is for others. */
static void not_indirect(struct world *world)
{
	AUTO(pkey_free) EVP_PKEY *key = key_pair(KEY_P256);
	struct list_recipe recipe = indirect_list(world, key);

	recipe.is_indirect = false;
	world_list(world, &recipe);
}

static void an_indirect_list_speaks_for_the_issuers_it_names(void **state)
{
	static const struct world_row rows[] = {
		{"leaf", indirect, REVOKED},
		{"intermediate", indirect_of_the_intermediate, REVOKED},
		{"after-another", indirect_after_another, REVOKED},
		{"of-another-issuer", indirect_of_another_issuer, GOOD},
		{"without-entry-issuer", indirect_without_entry_issuer, GOOD},
		{"by-the-root", indirect_by_the_root, REVOKED},
		{"signer-sent", indirect_signer_sent, REVOKED},
		{"signer-unknown", indirect_signer_unknown, UNKNOWN},
		{"under-another-root", indirect_under_another_root, GOOD},
		{"not-indirect", not_indirect, GOOD},
	};

	(void)state;
	world_check(rows, COUNT(rows));
}

static void a_revocation_is_told_with_its_date_and_reason(void **state)
{
	AUTO(world_free) struct world world;
	struct trust_verdict verdict;
	struct list_recipe recipe;

	(void)state;
	world_make(&world);
	recipe = leaf_list(&world);
	recipe.reason = 1;
	world_list(&world, &recipe);
	assert_refused(world_verify(&world, &verdict), ERR_REJECTED, "ek-revoked");
	assert_non_null(strstr(why()->sentence, "the EK certificate was revoked"));
	assert_non_null(strstr(why()->sentence, "2026-09-19T"));
	assert_non_null(strstr(why()->sentence, "key compromise"));
}

static void a_list_past_its_update_is_a_remark(void **state)
{
	AUTO(world_free) struct world world;
	struct trust_verdict verdict;
	struct list_recipe recipe;

	(void)state;
	world_make(&world);
	recipe = leaf_list(&world);
	recipe.revoked = NULL;
	recipe.made = NOW - 3 * DAY;
	recipe.due = NOW - 2 * DAY;
	world_list(&world, &recipe);
	assert_ok(world_verify(&world, &verdict));
	assert_int_equal(REMARK_CRL_OLD, verdict.remarks);
	assert_non_null(strstr(verdict.remark, "CN=Intermediate"));
	assert_non_null(strstr(verdict.remark, "2026-09-19T"));
	/* A newer one is there, which never needs to be renewed. */
	recipe.made = NOW - DAY;
	recipe.due = -1;
	world_list(&world, &recipe);
	assert_ok(world_verify(&world, &verdict));
	assert_int_equal(0, verdict.remarks);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_on_its_issuers_list_is_refused),
		cmocka_unit_test(an_indirect_list_speaks_for_the_issuers_it_names),
		cmocka_unit_test(a_revocation_is_told_with_its_date_and_reason),
		cmocka_unit_test(a_list_past_its_update_is_a_remark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
