#include "ca/base/cert.h"
#include "ca/base/file.h"
#include "enroll/trust/trust.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"
#include "tests/unit/trust/lists.h"
#include "tests/unit/trust/pki.h"

#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory with the world's certificates under these names. */
struct files {
	char *dir, *roots, *hints;
};

static void files_make(struct files *files, const struct world *world, const char *root_name)
{
	files->dir = scratch_make();
	files->roots = path_join(files->dir, "roots");
	files->hints = path_join(files->dir, "hints");
	assert_int_equal(0, mkdir(files->roots, 0700));
	assert_int_equal(0, mkdir(files->hints, 0700));
	scratch_pem(files->roots, root_name, world->roots);
	if (sk_X509_num(world->hints) > 0)
		scratch_pem(files->hints, "intermediates.pem", world->hints);
}

static void files_free(struct files *files)
{
	free(files->roots);
	free(files->hints);
	scratch_remove(&files->dir);
}

static void version_of(const struct files *files, enum trust_class class, uint8_t out[32])
{
	struct trust_source source = {.name = "unit",
		.class = class,
		.roots = files->roots,
		.intermediates = files->hints};
	AUTO(trust_free) struct trust *trust = NULL;

	assert_ok(trust_load(&source, 1, NULL, NULL, &trust));
	memcpy(out, trust_version(trust), 32);
}

static void count_root(void *ctx, const X509 *root)
{
	assert_non_null(root);
	(*(int *)ctx)++;
}

static void roots_can_be_gone_through_and_intermediates_are_none(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(files_free) struct files files;
	AUTO(trust_free) struct trust *trust = NULL;
	struct trust_source source = {.name = "unit"};
	int n = 0;

	(void)state;
	world_make(&world);
	files_make(&files, &world, "root.pem");
	source.roots = files.roots;
	source.intermediates = files.hints;
	assert_ok(trust_load(&source, 1, NULL, NULL, &trust));
	trust_each_root(trust, count_root, &n);
	assert_int_equal(sk_X509_num(world.roots), n);
}

static void the_version_changes_with_whom_we_believe_and_not_with_names(void **state)
{
	AUTO(world_free) struct world world, other;
	AUTO(files_free) struct files files, renamed, fewer, others;
	uint8_t wanted[32], got[32];

	(void)state;
	world_make(&world);
	world_make(&other);
	stack_add(world.roots, other.root);
	files_make(&files, &world, "a.pem");
	version_of(&files, TRUST_MANUFACTURER, wanted);
	stack_add(world.roots,
		sk_X509_shift(world.roots)); /* the other order, and one reference more */
	X509_free(sk_X509_value(world.roots, 1));
	files_make(&renamed, &world, "z.crt");
	version_of(&renamed, TRUST_MANUFACTURER, got);
	assert_memory_equal(wanted, got, 32);
	version_of(&files, TRUST_OPERATOR_IMPORT, got);
	assert_memory_not_equal(wanted, got, 32);
	files_make(&others, &other, "a.pem");
	version_of(&others, TRUST_MANUFACTURER, got);
	assert_memory_not_equal(wanted, got, 32);
	stack_empty(world.hints);
	files_make(&fewer, &world, "a.pem");
	version_of(&fewer, TRUST_MANUFACTURER, got);
	assert_memory_not_equal(wanted, got, 32);
}

struct log {
	char text[4096];
	size_t n;
};

static void note(void *ctx, const char *path, const char *reason)
{
	struct log *log = ctx;
	size_t used = strlen(log->text);

	assert_true(reason[0] != '\0');
	snprintf(log->text + used, sizeof(log->text) - used, "%s\n", strrchr(path, '/') + 1);
	log->n++;
}

static void a_file_that_cannot_be_read_is_named_and_the_others_load(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(files_free) struct files files;
	AUTO(trust_free) struct trust *trust = NULL;
	AUTO(mem_free) char *below = NULL;
	struct trust_verdict verdict;
	struct log log = {.n = 0};

	(void)state;
	world_make(&world);
	files_make(&files, &world, "m.pem");
	below = path_join(files.roots, "directory");
	assert_int_equal(0, mkdir(below, 0700));
	scratch_put(files.roots, "a-empty", view_str(""));
	scratch_put(files.roots, "b-garbage", view_str("\x30\x03garbage"));
	scratch_put(files.hints, "z-garbage", view_str("no certificate"));
	scratch_put(files.hints, ".hidden", view_str("no certificate"));
	assert_ok(trust_load(&(struct trust_source){.name = "unit",
				     .class = TRUST_MANUFACTURER,
				     .roots = files.roots,
				     .intermediates = files.hints},
		1, note, &log, &trust));
	assert_string_equal("a-empty\nb-garbage\ndirectory\nz-garbage\n", log.text);
	assert_ok(trust_verify(trust, &QUESTION(world.leaf), &verdict));
	assert_int_equal(TRUST_MANUFACTURER, verdict.class);
}

static int remove_in(const char *dir, const char *name)
{
	AUTO(mem_free) char *path = path_join(dir, name);

	return unlink(path);
}

struct told {
	char text[4096];
};

static void tell(void *ctx, const char *path, const char *reason)
{
	struct told *told = ctx;
	size_t used = strlen(told->text);

	snprintf(told->text + used, sizeof(told->text) - used, "%s: %s\n", strrchr(path, '/') + 1,
		reason);
}

static void assert_told(const struct told *told, const char *file, const char *words)
{
	const char *line = strstr(told->text, file);

	if (line == NULL || strstr(line, words) == NULL)
		fail_msg("no \"%s\" of %s in: %s", words, file, told->text);
}

/* A serial number that begins with an octet too many, as six of STM's intermediates have it. */
static void make_not_minimal(X509 *cert, struct buf *out)
{
	static const uint8_t serial[] = {0x02, 0x08, 0x12, 0x34};
	uint8_t *at;

	certificate_add(cert, out);
	at = memmem(out->p, out->n, serial, sizeof(serial));
	assert_non_null(at);
	at[2] = 0;
}

static void add_pem(struct view der, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	uint8_t *text = NULL;
	long n;

	assert_true(PEM_write_bio(bio, "CERTIFICATE", "", der.p, (long)der.n) > 0);
	n = BIO_get_mem_data(bio, &text);
	buf_add(out, (struct view){text, (size_t)n});
	BIO_free(bio);
}

static void one_bad_certificate_of_a_file_hides_no_other(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(files_free) struct files files;
	AUTO(trust_free) struct trust *trust = NULL;
	AUTO(buf_free) struct buf text = BUF(1 << 16), bad = BUF(8192);
	struct trust_verdict verdict;
	struct told told = {""};

	(void)state;
	world_make(&world);
	files_make(&files, &world, "root.pem");
	make_not_minimal(world.ca, &bad);
	scratch_put(files.hints, "bad.der", buf_view(&bad));
	add_pem(buf_view(&bad), &text);
	assert_ok(cert_pem_add(world.ca, &text));
	add_pem(buf_view(&bad), &text);
	scratch_put(files.hints, "intermediates.pem", buf_view(&text));
	assert_ok(trust_load(
		&(struct trust_source){
			.name = "unit", .roots = files.roots, .intermediates = files.hints},
		1, tell, &told, &trust));
	assert_told(&told, "intermediates.pem", "2 of its 3");
	assert_told(&told, "bad.der", "not one DER certificate");
	assert_non_null(strstr(trust_passed_over(trust), "intermediates.pem: OpenSSL cannot read"));
	assert_ok(trust_verify(trust, &QUESTION(world.leaf), &verdict));
}

/* An EK certificate among the roots would end its own chain. */
static void what_is_no_cas_is_no_root_and_leads_to_none(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(files_free) struct files files;
	AUTO(trust_free) struct trust *trust = NULL;
	STACK_OF(X509) *leaf = sk_X509_new_null();
	struct trust_verdict verdict;
	struct told told = {""};

	(void)state;
	world_make(&world);
	files_make(&files, &world, "root.pem");
	stack_add(leaf, world.leaf);
	scratch_pem(files.roots, "leaf.pem", leaf);
	scratch_pem(files.hints, "hint.pem", leaf);
	assert_ok(trust_load(
		&(struct trust_source){
			.name = "unit", .roots = files.roots, .intermediates = files.hints},
		1, tell, &told, &trust));
	assert_told(&told, "leaf.pem", "can be no root");
	assert_told(&told, "hint.pem", "can be no intermediate");
	assert_ok(trust_verify(trust, &QUESTION(world.leaf), &verdict));
	assert_string_equal("CN=Intermediate\nCN=Root", verdict.chain);
	trust_free(&trust);
	assert_int_equal(0, remove_in(files.roots, "root.pem"));
	assert_refused(trust_load(&(struct trust_source){.name = "unit", .roots = files.roots}, 1,
			       NULL, NULL, &trust),
		ERR_INTERNAL, "trust-empty");
	sk_X509_pop_free(leaf, X509_free);
}

static void put_list(const char *dir, const char *name, const struct list_recipe *recipe)
{
	X509_CRL *crl = list_made(recipe);
	uint8_t *der = NULL;
	int n = i2d_X509_CRL(crl, &der);

	assert_true(n > 0);
	scratch_put(dir, name, (struct view){der, (size_t)n});
	OPENSSL_free(der);
	X509_CRL_free(crl);
}

static void a_list_of_no_use_is_named_and_the_others_revoke(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(files_free) struct files files;
	AUTO(trust_free) struct trust *trust = NULL;
	struct list_recipe recipe;
	struct trust_verdict verdict;
	struct told told = {""};

	(void)state;
	world_make(&world);
	files_make(&files, &world, "root.pem");
	recipe = (struct list_recipe){
		.issuer = world.ca, .key = world.ca_key, .revoked = world.leaf};
	put_list(files.dir, "good", &recipe);
	recipe.is_delta = true;
	put_list(files.dir, "delta", &recipe);
	recipe.is_delta = false, recipe.has_unknown_critical = true;
	put_list(files.dir, "critical", &recipe);
	recipe.has_unknown_critical = false, recipe.is_for_attributes = true;
	put_list(files.dir, "attributes", &recipe);
	recipe.is_for_attributes = false, recipe.key = world.root_key;
	put_list(files.dir, "forged", &recipe);
	scratch_put(files.dir, "garbage", view_str("\x30\x03garbage"));
	scratch_pem(files.dir, "certificate.pem", world.roots);
	assert_ok(trust_load(&(struct trust_source){.name = "unit",
				     .roots = files.roots,
				     .intermediates = files.hints,
				     .crls = files.dir},
		1, tell, &told, &trust));
	assert_told(&told, "delta", "delta CRL");
	assert_told(&told, "critical", "critical extension");
	assert_told(&told, "attributes", "attribute certificates");
	assert_told(&told, "forged", "not signed by that CA");
	assert_told(&told, "garbage", "not one DER CRL");
	assert_told(&told, "certificate.pem", "no CRL");
	assert_null(strstr(told.text, "good"));
	assert_refused(
		trust_verify(trust, &QUESTION(world.leaf), &verdict), ERR_REJECTED, "ek-revoked");
}

static void the_version_has_constraints_and_lists_in_it(void **state)
{
	static const char *const manufacturers[] = {"", "id:49465800,id:53544D20",
		"id:53544d20,ID:49465800,id:53544D20", "id:49465800"};
	AUTO(world_free) struct world world;
	uint8_t version[COUNT(manufacturers) + 1][32];

	(void)state;
	world_make(&world);
	for (size_t i = 0; i <= COUNT(manufacturers); i++) {
		AUTO(trust_free) struct trust *trust = NULL;

		if (i < COUNT(manufacturers))
			world.manufacturers = manufacturers[i];
		else
			world_list(&world,
				&(struct list_recipe){.issuer = world.ca, .key = world.ca_key});
		trust = world_trust(&world);
		memcpy(version[i], trust_version(trust), 32);
	}
	for (size_t i = 0; i < COUNT(version); i++)
		for (size_t k = 0; k < i; k++)
			assert_int_equal(i == 2 && k == 1, memcmp(version[i], version[k], 32) == 0);
}

static void each_root_keeps_its_source(void **state)
{
	AUTO(world_free) struct world ours, theirs;
	AUTO(files_free) struct files mine, other;
	AUTO(trust_free) struct trust *trust = NULL;
	struct trust_verdict verdict;

	(void)state;
	world_make(&ours);
	world_make(&theirs);
	files_make(&mine, &ours, "root.pem");
	files_make(&other, &theirs, "root.pem");
	assert_ok(trust_load((struct trust_source[]){{.name = "bundled",
							     .class = TRUST_MANUFACTURER,
							     .roots = mine.roots,
							     .intermediates = mine.hints},
				     {.name = "brought",
					     .class = TRUST_OPERATOR_IMPORT,
					     .roots = other.roots,
					     .intermediates = other.hints}},
		2, NULL, NULL, &trust));
	assert_ok(trust_verify(trust, &QUESTION(ours.leaf), &verdict));
	assert_string_equal("bundled", verdict.source);
	assert_int_equal(TRUST_MANUFACTURER, verdict.class);
	assert_ok(trust_verify(trust, &QUESTION(theirs.leaf), &verdict));
	assert_string_equal("brought", verdict.source);
	assert_int_equal(TRUST_OPERATOR_IMPORT, verdict.class);
}

static void a_source_without_a_root_is_an_error(void **state)
{
	AUTO(world_free) struct world world;
	AUTO(files_free) struct files files;
	AUTO(mem_free) char *missing = NULL;
	struct trust *trust = NULL;
	struct trust_source source;

	(void)state;
	world_make(&world);
	files_make(&files, &world, "root.pem");
	missing = path_join(files.dir, "missing");
	source = (struct trust_source){.name = "unit",
		.class = TRUST_MANUFACTURER,
		.roots = files.dir,
		.intermediates = NULL};
	assert_refused(trust_load(&source, 1, NULL, NULL, &trust), ERR_INTERNAL, "trust-empty");
	assert_refused(trust_load(&source, 0, NULL, NULL, &trust), ERR_INTERNAL, "trust-empty");
	source.roots = missing;
	assert_refused(trust_load(&source, 1, NULL, NULL, &trust), ERR_INTERNAL, "trust-directory");
	source.roots = files.roots;
	source.intermediates = missing;
	assert_refused(trust_load(&source, 1, NULL, NULL, &trust), ERR_INTERNAL, "trust-directory");
	assert_null(trust);
}

static void a_class_is_read_as_it_is_written(void **state)
{
	static const char *const words[] = {
		[TRUST_MANUFACTURER] = "manufacturer",
		[TRUST_OPERATOR_IMPORT] = "operator-import",
		[TRUST_ALLOW_LIST] = "allow-list",
		[TRUST_APPROVED] = "approved",
		[TRUST_UNPROVEN] = "unproven-root",
	};
	enum trust_class class;

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		assert_string_equal(words[i], trust_class_text((enum trust_class)i));
		assert_ok(trust_class_read(words[i], &class));
		assert_int_equal(i, class);
	}
	assert_refused(trust_class_read("Manufacturer", &class), ERR_INTERNAL, "trust-class");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_can_be_gone_through_and_intermediates_are_none),
		cmocka_unit_test(the_version_changes_with_whom_we_believe_and_not_with_names),
		cmocka_unit_test(a_file_that_cannot_be_read_is_named_and_the_others_load),
		cmocka_unit_test(one_bad_certificate_of_a_file_hides_no_other),
		cmocka_unit_test(what_is_no_cas_is_no_root_and_leads_to_none),
		cmocka_unit_test(a_list_of_no_use_is_named_and_the_others_revoke),
		cmocka_unit_test(the_version_has_constraints_and_lists_in_it),
		cmocka_unit_test(each_root_keeps_its_source),
		cmocka_unit_test(a_source_without_a_root_is_an_error),
		cmocka_unit_test(a_class_is_read_as_it_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
