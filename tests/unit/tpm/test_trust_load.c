#include "ca/base/file.h"
#include "enroll/tpm/trust.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/pki.h"
#include "tests/unit/tpm/scratch.h"

#include <sys/stat.h>

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
	static const enum trust_class all[] = {TRUST_MANUFACTURER, TRUST_OPERATOR_IMPORT};
	enum trust_class class;

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		assert_ok(trust_class_read(trust_class_text(all[i]), &class));
		assert_int_equal(all[i], class);
	}
	assert_string_equal("manufacturer", trust_class_text(TRUST_MANUFACTURER));
	assert_string_equal("operator-import", trust_class_text(TRUST_OPERATOR_IMPORT));
	assert_refused(trust_class_read("Manufacturer", &class), ERR_INTERNAL, "trust-class");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_can_be_gone_through_and_intermediates_are_none),
		cmocka_unit_test(the_version_changes_with_whom_we_believe_and_not_with_names),
		cmocka_unit_test(a_file_that_cannot_be_read_is_named_and_the_others_load),
		cmocka_unit_test(each_root_keeps_its_source),
		cmocka_unit_test(a_source_without_a_root_is_an_error),
		cmocka_unit_test(a_class_is_read_as_it_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
