#include "enroll/trust/vouching.h"

#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

#include <sys/stat.h>

static const char infineon[] = "name: Infineon Technologies\n"
			       "manufacturers: [\"id:49465800\"]\n"
			       "use: [ek]\n"
			       "names: [Infineon Technologies AG]\n";
static const char st[] =
	"name: STMicroelectronics\n"
	"manufacturers: [\"id:53544d20\"]\n"
	"use: [ek]\n"
	"names: [STMicroelectronics NV, GlobalSign Trusted Platform Module Root CA]\n";
static const char several[] = "name: Microsoft\n"
			      "manufacturers: [\"id:4D534654\", \"id:51434F4D\"]\n"
			      "use: [ek]\n"
			      "names: [Microsoft Corporation]\n";

static char *dir;
static struct vendors *vendors;

static void put_vendor(const char *folder, const char *yaml)
{
	AUTO(mem_free) char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", dir, folder) > 0);
	assert_int_equal(mkdir(path, 0755), 0);
	scratch_put(path, "vendor.yaml", view_str(yaml));
}

static int make(void **state)
{
	struct problems problems;

	(void)state;
	dir = scratch_make();
	put_vendor("infineon", infineon);
	put_vendor("stm", st);
	put_vendor("microsoft", several);
	put_vendor("broken", "name: [\n");
	scratch_put(dir, "VERSION", view_str("2026.11.22\n"));
	problems_init(&problems);
	assert_ok(vendors_load(dir, &problems, &vendors));
	assert_true(problems.n > 0); /* of the broken one */
	problems_free(&problems);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	vendors_free(&vendors);
	scratch_remove(&dir);
	return 0;
}

static void a_list_has_one_form(void **state)
{
	static const struct {
		const char *text, *list;
	} rows[] = {
		{"any", ""},
		{"id:49465800", "id:49465800"},
		{"ID:53544d20,id:49465800,id:53544D20", "id:53544D20,id:49465800"},
	};
	static const char *const wrong[] = {"", "ANY", "id:4946580", "id:494658000", "49465800",
		"id:49465800,", ",id:49465800", "id:49465800 ,id:53544D20", "id:4946580g",
		"id:49465800,any"};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf out = BUF(VOUCHING_MAX);

		assert_ok(vouching_read(rows[i].text, &out));
		assert_string_equal(buf_text(&out), rows[i].list);
	}
	for (size_t i = 0; i < COUNT(wrong); i++) {
		AUTO(buf_free) struct buf out = BUF(VOUCHING_MAX);

		assert_refused_in(
			wrong[i], vouching_read(wrong[i], &out), ERR_REJECTED, "ca-manufacturers");
	}
}

static void letters_stand_for_ids(void **state)
{
	AUTO(buf_free) struct buf out = BUF(VOUCHING_MAX), whole = BUF(VOUCHING_MAX);

	(void)state;
	assert_ok(vouching_of_letters("ntc", &out));
	assert_string_equal(buf_text(&out), "id:4E544300,id:4E544320");
	assert_ok(vouching_of_letters("INTC", &whole));
	assert_string_equal(buf_text(&whole), "id:494E5443");
	assert_refused(vouching_of_letters("ALIYUN", &out), ERR_REJECTED, "ca-manufacturers");
	assert_refused(vouching_of_letters("A", &out), ERR_REJECTED, "ca-manufacturers");
	assert_refused(vouching_of_letters("A-B", &out), ERR_REJECTED, "ca-manufacturers");
}

/* What is known of a root, and what is found. */
struct row {
	const char *organization, *common_name;
	const char *given, *manufacturers, *owner, *path;
	const char *list; /* NULL: nothing */
};

static void the_first_that_tells_is_believed(void **state)
{
	static const struct row rows[] = {
		{"Infineon Technologies AG", "Any Root", NULL, NULL, NULL, "x.pem", "id:49465800"},
		{"GlobalSign", "GlobalSign Trusted Platform Module Root CA", NULL, NULL, NULL,
			"x.pem", "id:53544D20"},
		{"GlobalSign", "GlobalSign Root CA", NULL, NULL, NULL, "x.pem", NULL},
		{"", "Any Root", NULL, NULL, NULL, "roots/x.pem", NULL},
		/* by folder, in the several ways that archives call them */
		{"", "Any Root", NULL, NULL, NULL, "TrustedTpm.cab/Infineon/RootCA/x.crt",
			"id:49465800"},
		{"", "Any Root", NULL, NULL, NULL, "a/STMicro/RootCA/x.crt", "id:53544D20"},
		{"", "Any Root", NULL, NULL, NULL, "a/IFX/x.crt", "id:49465800"},
		{"", "Any Root", NULL, NULL, NULL, "stm/infineon/x.crt", "id:49465800"},
		{"", "Any Root", NULL, NULL, NULL, "a/infineon", NULL},
		/* by what a bundle says, which goes before names and folders */
		{"Infineon Technologies AG", "Any", NULL, "id:4E544300", "IFX", "x", "id:4E544300"},
		{"Infineon Technologies AG", "Any", NULL, "any", NULL, "x", ""},
		{"", "Any Root", NULL, NULL, "NTC", "infineon/x.pem", "id:4E544300,id:4E544320"},
		/* its vendor may vouch for more than the owner's own */
		{"Microsoft Corporation", "Any", NULL, NULL, "MSFT", "x",
			"id:4D534654,id:51434F4D"},
		{"Microsoft Corporation", "Any", NULL, NULL, "IFX", "x", "id:49465800,id:49465820"},
		{"", "Any Root", NULL, "everybody", NULL, "infineon/x.pem", NULL},
		/* by what the operator says, which goes before all */
		{"Infineon Technologies AG", "Any", "id:53544D20", "any", "NTC", "x",
			"id:53544D20"},
		{"Infineon Technologies AG", "Any", "any", "id:4E544300", NULL, "x", ""},
		{"Infineon Technologies AG", "Any", "infineon", NULL, NULL, "x", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(buf_free) struct buf out = BUF(VOUCHING_MAX);
		const struct row *row = &rows[i];
		struct candidate candidate = {.role = TRUST_ROOT};
		const struct vouching_hints hints = {
			row->given, row->manufacturers, row->owner, row->path, vendors};
		char name[16];

		snprintf(name, sizeof(name), "row %zu", i);
		snprintf(candidate.organization, sizeof(candidate.organization), "%s",
			row->organization);
		snprintf(candidate.common_name, sizeof(candidate.common_name), "%s",
			row->common_name);
		assert_refused_in(name, vouching_find(&candidate, &hints, &out),
			row->list == NULL ? ERR_REJECTED : OK, "ca-manufacturers");
		if (row->list != NULL && strcmp(buf_text(&out), row->list) != 0)
			fail_msg("%s: %s", name, buf_text(&out));
	}
}

static void without_vendors_only_what_is_said_counts(void **state)
{
	AUTO(buf_free) struct buf out = BUF(VOUCHING_MAX);
	const struct candidate candidate = {.organization = "Infineon Technologies AG"};
	struct vouching_hints hints = {.path = "Infineon/x.pem"};

	(void)state;
	assert_refused(vouching_find(&candidate, &hints, &out), ERR_REJECTED, "ca-manufacturers");
	hints.owner = "IFX";
	assert_ok(vouching_find(&candidate, &hints, &out));
}

static void there_is_no_tree_where_there_is_no_directory(void **state)
{
	struct vendors *none = NULL;
	struct problems problems;

	(void)state;
	problems_init(&problems);
	assert_refused(vendors_load("/nonexistent/vendors", &problems, &none), ERR_INTERNAL,
		"vendors-directory");
	problems_free(&problems);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_has_one_form),
		cmocka_unit_test(letters_stand_for_ids),
		cmocka_unit_test(the_first_that_tells_is_believed),
		cmocka_unit_test(without_vendors_only_what_is_said_counts),
		cmocka_unit_test(there_is_no_tree_where_there_is_no_directory),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
