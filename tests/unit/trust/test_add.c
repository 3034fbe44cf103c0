/* test_trust_add.c - a set made of another and of what an operator imported. */
#include "ca/base/cert.h"
#include "ca/base/ossl.h"
#include "enroll/trust/set.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/area.h"
#include "tests/unit/trust/lists.h"
#include "tests/unit/trust/pki.h"

/* The world's root and intermediate, and a list that has its leaf, as items of a database. */
struct import {
	struct buf root, ca, list;
	struct trust_item item[3];
};

static void import_make(struct import *import, const struct world *world)
{
	AUTO(ossl_free) uint8_t *der = NULL;
	X509_CRL *crl = list_made(&(struct list_recipe){
		.issuer = world->ca, .key = world->ca_key, .revoked = world->leaf});
	int n = i2d_X509_CRL(crl, &der);

	*import = (struct import){.root = BUF(8192), .ca = BUF(8192), .list = BUF(8192)};
	certificate_add(world->root, &import->root);
	certificate_add(world->ca, &import->ca);
	assert_true(n > 0);
	buf_add(&import->list, (struct view){der, (size_t)n});
	X509_CRL_free(crl);
	import->item[0] = (struct trust_item){TRUST_ROOT, TRUST_OPERATOR_IMPORT,
		buf_view(&import->root), "id:00001014", "imported"};
	import->item[1] = (struct trust_item){
		TRUST_INTERMEDIATE, TRUST_OPERATOR_IMPORT, buf_view(&import->ca), "", "imported"};
	import->item[2] = (struct trust_item){
		TRUST_CRL, TRUST_OPERATOR_IMPORT, buf_view(&import->list), "", "imported"};
}

static void import_free(struct import *import)
{
	buf_free(&import->root);
	buf_free(&import->ca);
	buf_free(&import->list);
}

struct log {
	char text[4096];
};

static void note(void *ctx, const char *path, const char *reason)
{
	struct log *log = ctx;
	size_t used = strlen(log->text);

	snprintf(log->text + used, sizeof(log->text) - used, "%s: %s\n", path, reason);
}

static void what_is_added_is_believed_and_the_base_stays(void **state)
{
	AUTO(world_free) struct world ours, theirs;
	AUTO(import_free) struct import import;
	AUTO(trust_free) struct trust *base = NULL, *both = NULL, *revoking = NULL;
	struct log log = {""};
	struct trust_verdict verdict;

	(void)state;
	world_make(&ours);
	world_make(&theirs);
	import_make(&import, &theirs);
	base = world_trust(&ours);
	assert_ok(trust_add(base, import.item, 2, note, &log, &both));
	assert_ok(trust_verify(both, &QUESTION(theirs.leaf), &verdict));
	assert_int_equal(TRUST_OPERATOR_IMPORT, verdict.class);
	assert_string_equal("imported", verdict.source);
	assert_ok(trust_verify(both, &QUESTION(ours.leaf), &verdict));
	assert_string_equal("unit", verdict.source);
	assert_refused(
		trust_verify(base, &QUESTION(theirs.leaf), &verdict), ERR_REJECTED, "ek-untrusted");
	assert_ok(trust_add(both, &import.item[2], 1, note, &log, &revoking));
	assert_refused(trust_verify(revoking, &QUESTION(theirs.leaf), &verdict), ERR_REJECTED,
		"ek-revoked");
	assert_ok(trust_verify(both, &QUESTION(theirs.leaf), &verdict));
	assert_string_equal("", log.text);
	/* Each goes its own way: what is left holds what it needs. */
	trust_free(&base);
	trust_free(&revoking);
	assert_ok(trust_verify(both, &QUESTION(ours.leaf), &verdict));
}

static void constraints_of_what_is_added_hold(void **state)
{
	AUTO(world_free) struct world ours, theirs;
	AUTO(import_free) struct import import;
	AUTO(trust_free) struct trust *base = NULL, *both = NULL;
	struct trust_question question;
	struct trust_verdict verdict;

	(void)state;
	world_make(&ours);
	world_make(&theirs);
	import_make(&import, &theirs);
	base = world_trust(&ours);
	assert_ok(trust_add(base, import.item, 2, NULL, NULL, &both));
	question = QUESTION(theirs.leaf);
	assert_ok(trust_verify(both, &question, &verdict));
	question.manufacturer = "id:49465800";
	assert_refused(trust_verify(both, &question, &verdict), ERR_REJECTED, "ek-manufacturer");
}

/* An import widens nobody's constraints, and takes nothing out of the bundle. */
static void what_the_base_has_too_is_the_bases(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(import_free) struct import import;
	AUTO(trust_free) struct trust *base = NULL, *both = NULL;
	struct trust_verdict verdict;

	(void)state;
	world_make(&world);
	world.manufacturers = "id:49465800";
	import_make(&import, &world);
	base = world_trust(&world);
	import.item[0].manufacturers = "";
	assert_ok(trust_add(base, import.item, 2, NULL, NULL, &both));
	assert_refused(trust_verify(both, &QUESTION(world.leaf), &verdict), ERR_REJECTED,
		"ek-manufacturer");
	assert_memory_equal(trust_version(base), trust_version(both), 32);
}

/* The base has it as a hint; the import makes an anchor of it. */
static void an_intermediate_of_the_base_can_be_imported_as_a_root(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(import_free) struct import import;
	AUTO(trust_free) struct trust *base = NULL, *both = NULL;
	struct trust_verdict verdict;
	struct recipe recipe;

	(void)state;
	world_make(&world);
	import_make(&import, &world);
	recipe = recipe_root("Unrelated", world.root_key);
	world_root(&world, &recipe);
	base = world_trust(&world);
	assert_refused(
		trust_verify(base, &QUESTION(world.leaf), &verdict), ERR_REJECTED, "ek-untrusted");
	import.item[1].role = TRUST_ROOT;
	assert_ok(trust_add(base, &import.item[1], 1, NULL, NULL, &both));
	assert_ok(trust_verify(both, &QUESTION(world.leaf), &verdict));
	assert_string_equal("CN=Intermediate", verdict.chain);
	assert_memory_not_equal(trust_version(base), trust_version(both), 32);
}

static void what_cannot_be_read_is_told_and_left_out(void **state)
{
	AUTO(world_free) struct world ours, theirs;
	AUTO(import_free) struct import import;
	AUTO(trust_free) struct trust *base = NULL, *both = NULL;
	AUTO(buf_free) struct buf leaf = BUF(8192);
	struct log log = {""};
	struct trust_verdict verdict;

	(void)state;
	world_make(&ours);
	world_make(&theirs);
	import_make(&import, &theirs);
	certificate_add(theirs.leaf, &leaf);
	base = world_trust(&ours);
	import.root.n--;
	import.item[0].der = buf_view(&import.root);
	import.item[0].source = "cut";
	import.item[1].der = buf_view(&leaf);
	import.item[1].source = "leaf";
	import.item[2].der.n = 9;
	import.item[2].source = "list";
	assert_ok(trust_add(base, import.item, 3, note, &log, &both));
	assert_non_null(strstr(log.text, "cut: "));
	assert_non_null(strstr(log.text, "leaf: "));
	assert_non_null(strstr(log.text, "list: "));
	assert_non_null(strstr(trust_passed_over(both), "cut: "));
	assert_ok(trust_verify(both, &QUESTION(ours.leaf), &verdict));
	assert_memory_equal(trust_version(base), trust_version(both), 32);
}

struct seen {
	size_t of_role[3];
	bool has_root;
	const struct world *world;
	size_t until;
};

static enum err see(void *ctx, const struct trust_item *item)
{
	struct seen *seen = ctx;
	AUTO(x509_free) X509 *cert = cert_from_der(item->der);

	seen->of_role[item->role]++;
	if (item->role == TRUST_ROOT) {
		assert_non_null(cert);
		assert_string_equal("id:00001014", item->manufacturers);
		assert_string_equal("unit", item->source);
		assert_int_equal(TRUST_OPERATOR_IMPORT, item->class);
		seen->has_root |= X509_cmp(cert, seen->world->root) == 0;
	}
	return --seen->until == 0 ? ERR_BUSY : OK;
}

static void everything_in_a_set_can_be_gone_through(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(trust_free) struct trust *trust = NULL;
	struct seen seen = {.world = &world, .until = 100};

	(void)state;
	world_make(&world);
	world.manufacturers = "ID:00001014";
	world_list(&world, &(struct list_recipe){.issuer = world.ca, .key = world.ca_key});
	trust = world_trust(&world);
	assert_ok(trust_each(trust, see, &seen));
	for (size_t i = 0; i < COUNT(seen.of_role); i++)
		assert_int_equal(1, seen.of_role[i]);
	assert_true(seen.has_root);
	seen = (struct seen){.world = &world, .until = 2};
	assert_int_equal(ERR_BUSY, trust_each(trust, see, &seen));
	assert_int_equal(2, seen.of_role[0] + seen.of_role[1] + seen.of_role[2]);
}

/* A certificate of the set, its CRL, the leaf: what is remembered of a chain ends with the first of them. */
static void the_next_moment_is_the_first_at_which_anything_begins_or_ends(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(trust_free) struct trust *trust = NULL;
	struct trust_verdict verdict;
	struct trust_question question;
	struct recipe leaf;

	(void)state;
	world_make(&world);
	world_list(&world, &(struct list_recipe){.issuer = world.ca,
				   .key = world.ca_key,
				   .made = NOW - 50,
				   .due = NOW + 50});
	trust = world_trust(&world);
	assert_true(trust_next_moment(trust, NOW - 51) == NOW - 50);
	assert_true(trust_next_moment(trust, NOW - 50) == NOW - 50);
	assert_true(trust_next_moment(trust, NOW) == NOW + 50);
	assert_true(trust_next_moment(trust, NOW + 51) > NOW + 51);
	assert_true(trust_next_moment(trust, INT64_MAX) == INT64_MAX);
	question = QUESTION(world.leaf);
	assert_ok(trust_verify(trust, &question, &verdict));
	assert_true(verdict.until == NOW + 50);
	leaf = recipe_ek(world.ek_key, world.ca, world.ca_key);
	leaf.until = NOW + 20;
	world_leaf(&world, &leaf);
	question.leaf = world.leaf;
	assert_ok(trust_verify(trust, &question, &verdict));
	assert_true(verdict.until == NOW + 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_added_is_believed_and_the_base_stays),
		cmocka_unit_test(constraints_of_what_is_added_hold),
		cmocka_unit_test(what_the_base_has_too_is_the_bases),
		cmocka_unit_test(an_intermediate_of_the_base_can_be_imported_as_a_root),
		cmocka_unit_test(what_cannot_be_read_is_told_and_left_out),
		cmocka_unit_test(everything_in_a_set_can_be_gone_through),
		cmocka_unit_test(the_next_moment_is_the_first_at_which_anything_begins_or_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
