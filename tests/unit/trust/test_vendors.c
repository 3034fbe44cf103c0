/* test_trust_vendors.c - a tree of vendors as a source of trust. */
#include "ca/base/file.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"
#include "tests/unit/trust/pki.h"

#include <sys/stat.h>

/* A tree with one vendor whose roots are the world's; its intermediates are sent. */
struct tree {
	char *dir, *vendor;
	struct world world;
	char told[4096];
};

static void tell(void *ctx, const char *path, const char *reason)
{
	struct tree *tree = ctx;
	size_t used = strlen(tree->told);

	snprintf(tree->told + used, sizeof(tree->told) - used, "%s: %s\n", strrchr(path, '/') + 1,
		reason);
}

#define YAML(manufacturers) "name: Maker\nmanufacturers: [\"" manufacturers "\"]\nuse: [ek]\n"
#define GOOD YAML("id:00001014")
#define FIRMWARE                                                                                   \
	GOOD "firmware:\n  - {from: \"id:20190000\", to: \"id:20199999\", reference: "             \
	     "CVE-2017-15361, note: \"weak keys\"}\n"

static void put_vendor(struct tree *tree, const char *yaml)
{
	scratch_put(tree->vendor, "vendor.yaml", view_str(yaml));
}

static void tree_make(struct tree *tree)
{
	*tree = (struct tree){.dir = scratch_make()};
	tree->vendor = path_join(tree->dir, "maker");
	world_make(&tree->world);
	stack_empty(tree->world.hints);
	stack_add(tree->world.sent, tree->world.ca);
	assert_int_equal(0, mkdir(tree->vendor, 0700));
	scratch_put(tree->dir, "VERSION", view_str("2026.11.22\n"));
	scratch_put(tree->dir, "SOURCES", view_str("a file that is no vendor\n"));
	scratch_pem(tree->vendor, "root.pem", tree->world.roots);
	put_vendor(tree, GOOD);
}

static void tree_free(struct tree *tree)
{
	world_free(&tree->world);
	free(tree->vendor);
	scratch_remove(&tree->dir);
}

static enum err load(struct tree *tree, struct trust **out)
{
	tree->told[0] = '\0';
	return trust_load(
		&(struct trust_source){
			.name = "vendors", .class = TRUST_MANUFACTURER, .vendors = tree->dir},
		1, tell, tree, out);
}

static enum err ask(struct tree *tree, struct trust_verdict *verdict)
{
	AUTO(trust_free) struct trust *trust = NULL;
	AUTO(buf_free) struct buf store = BUF(1 << 16);
	struct trust_question question = QUESTION(tree->world.leaf);
	struct view sent[16];

	assert_ok(load(tree, &trust));
	question.sent = sent;
	question.sent_n = world_sent(&tree->world, &store, sent);
	return trust_verify(trust, &question, verdict);
}

static void a_vendors_roots_vouch_for_its_tpms(void **state)
{
	AUTO(tree_free) struct tree tree;
	AUTO(trust_free) struct trust *trust = NULL;
	struct trust_verdict verdict;

	(void)state;
	tree_make(&tree);
	assert_ok(ask(&tree, &verdict));
	assert_string_equal("maker, vendors 2026.11.22", verdict.source);
	assert_int_equal(TRUST_MANUFACTURER, verdict.class);
	assert_int_equal(0, verdict.remarks);
	assert_string_equal("", tree.told);
	assert_ok(load(&tree, &trust));
	assert_string_equal("2026.11.22", trust_bundle_version(trust));
	put_vendor(&tree, YAML("id:49465800"));
	assert_refused(ask(&tree, &verdict), ERR_REJECTED, "ek-manufacturer");
}

static void one_anchor_may_vouch_for_others(void **state)
{
	AUTO(tree_free) struct tree tree;
	struct trust_verdict verdict;

	(void)state;
	tree_make(&tree);
	put_vendor(&tree, GOOD "anchors: [{file: root.pem, manufacturers: [\"id:49465800\"]}]\n");
	assert_refused(ask(&tree, &verdict), ERR_REJECTED, "ek-manufacturer");
	put_vendor(&tree, YAML("id:49465800") "anchors: [{file: root.pem, manufacturers: "
					      "[\"id:00001014\"]}]\n");
	assert_ok(ask(&tree, &verdict));
}

static void known_bad_firmware_is_a_remark(void **state)
{
	AUTO(tree_free) struct tree tree;
	AUTO(trust_free) struct trust *before = NULL, *after = NULL;
	struct trust_verdict verdict;

	(void)state;
	tree_make(&tree);
	assert_ok(load(&tree, &before));
	put_vendor(&tree, FIRMWARE);
	assert_ok(ask(&tree, &verdict));
	assert_int_equal(REMARK_FIRMWARE, verdict.remarks);
	assert_non_null(strstr(verdict.remark, "id:20191023"));
	assert_non_null(strstr(verdict.remark, "CVE-2017-15361: weak keys"));
	assert_ok(load(&tree, &after));
	assert_memory_not_equal(trust_version(before), trust_version(after), 32);
}

/* Two that say the same are not as none. */
static void firmware_that_is_said_twice_changes_the_version_too(void **state)
{
	AUTO(tree_free) struct tree tree;
	AUTO(trust_free) struct trust *before = NULL, *after = NULL;
	AUTO(mem_free) char *second = NULL;

	(void)state;
	tree_make(&tree);
	second = path_join(tree.dir, "twin");
	assert_int_equal(0, mkdir(second, 0700));
	scratch_pem(second, "root.pem", tree.world.roots);
	scratch_put(second, "vendor.yaml", view_str(GOOD));
	assert_ok(load(&tree, &before));
	put_vendor(&tree, FIRMWARE);
	scratch_put(second, "vendor.yaml", view_str(FIRMWARE));
	assert_ok(load(&tree, &after));
	assert_memory_not_equal(trust_version(before), trust_version(after), 32);
}

/* Firmware is the TPM's, whichever root vouches for it, and stays known to sets made of this one. */
static void known_bad_firmware_is_so_below_other_roots(void **state)
{
	AUTO(tree_free) struct tree tree;
	AUTO(world_free) struct world other;
	AUTO(trust_free) struct trust *base = NULL, *both = NULL;
	AUTO(buf_free) struct buf der = BUF(8192);
	struct trust_verdict verdict;
	struct recipe recipe;

	(void)state;
	tree_make(&tree);
	put_vendor(&tree, FIRMWARE);
	world_make(&other);
	recipe = recipe_ek(other.ek_key, other.root, other.root_key);
	world_leaf(&other, &recipe);
	certificate_add(other.root, &der);
	assert_ok(load(&tree, &base));
	assert_ok(trust_add(base,
		&(struct trust_item){
			TRUST_ROOT, TRUST_OPERATOR_IMPORT, buf_view(&der), "", "by hand"},
		1, NULL, NULL, &both));
	trust_free(&base);
	assert_ok(trust_verify(both, &QUESTION(other.leaf), &verdict));
	assert_string_equal("by hand", verdict.source);
	assert_int_equal(REMARK_FIRMWARE, verdict.remarks);
}

/* Without its constraints a root would vouch for anybody. */
static void a_vendor_that_cannot_be_read_brings_no_root(void **state)
{
	AUTO(tree_free) struct tree tree;
	AUTO(world_free) struct world other;
	AUTO(mem_free) char *second = NULL;
	struct trust *trust = NULL;
	struct trust_verdict verdict;

	(void)state;
	tree_make(&tree);
	put_vendor(&tree, GOOD "nonsense: 1\n");
	assert_refused(load(&tree, &trust), ERR_INTERNAL, "trust-empty");
	assert_non_null(strstr(tree.told, "maker: none of this vendor's roots is taken"));
	assert_non_null(strstr(tree.told, "nonsense"));
	world_make(&other);
	second = path_join(tree.dir, "other");
	assert_int_equal(0, mkdir(second, 0700));
	scratch_pem(second, "root.pem", other.roots);
	scratch_put(second, "vendor.yaml", view_str(GOOD));
	assert_refused(ask(&tree, &verdict), ERR_REJECTED, "ek-untrusted");
}

static void a_tree_without_a_version_is_told(void **state)
{
	AUTO(tree_free) struct tree tree;
	struct trust_verdict verdict;

	(void)state;
	tree_make(&tree);
	scratch_put(tree.dir, "VERSION", view_str(""));
	assert_ok(ask(&tree, &verdict));
	assert_string_equal("maker, vendors unknown", verdict.source);
	assert_non_null(strstr(tree.told, "no VERSION"));
}

static void the_bundle_that_comes_with_this_loads_whole(void **state)
{
	struct tree tree = {.dir = (char *)ENDORSE_SOURCE_DIR "/policy/vendors"};
	AUTO(trust_free) struct trust *trust = NULL;

	(void)state;
	assert_ok(load(&tree, &trust));
	assert_string_equal("", tree.told);
	assert_true(strlen(trust_bundle_version(trust)) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vendors_roots_vouch_for_its_tpms),
		cmocka_unit_test(one_anchor_may_vouch_for_others),
		cmocka_unit_test(known_bad_firmware_is_a_remark),
		cmocka_unit_test(firmware_that_is_said_twice_changes_the_version_too),
		cmocka_unit_test(known_bad_firmware_is_so_below_other_roots),
		cmocka_unit_test(a_vendor_that_cannot_be_read_brings_no_root),
		cmocka_unit_test(a_tree_without_a_version_is_told),
		cmocka_unit_test(the_bundle_that_comes_with_this_loads_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
