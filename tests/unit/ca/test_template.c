#include "ca/template.h"

#include "ca/base/file.h"
#include "tests/unit/ca/issuer.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

static void templates_close(struct templates **templates)
{
	templates_free(templates);
}

static void the_shipped_templates_load(void **state)
{
	AUTO(templates_close) struct templates *templates = NULL;
	AUTO(problems_free) struct problems problems;
	AUTO(mem_free) char *dir = source_path("templates");
	const struct template *ak;

	(void)state;
	problems_init(&problems);
	if (templates_load(dir, &problems, &templates) != OK)
		fail_msg("%s", buf_text(&problems.text));
	ak = template_named(templates, "ak");
	assert_non_null(ak);
	assert_string_equal("x509", ak->kind);
	assert_string_equal("ak", ak->key);
	assert_int_equal(90 * 86400, ak->lifetime);
	assert_int_equal(300, ak->backdate);
	assert_true(ak->san.critical);
	assert_int_equal(1, ak->extended_key_usage.n);
	assert_string_equal("2.23.133.8.3", *(char **)ak->extended_key_usage.item);
	assert_null(template_named(templates, "AK"));
	assert_null(template_named(templates, ""));
}

/* A good template in lines, of which a row puts another in place of one. */
static const char *const lines[] = {
	"name: ak", /* 1 */
	"version: 1",
	"kind: x509",
	"key: ak",
	"lifetime: 90d",
	"subject_alt_name:", /* 6 */
	"  critical: true",
	"  names:",
	"    - directory_name:",
	"        - { type: 2.23.133.2.1, value: \"${tpm.manufacturer}\" }", /* 10 */
	"    - permanent_identifier: \"${device.id}\"",
	"key_usage: [digitalSignature]",
	"extended_key_usage: [2.23.133.8.3]",
};

#define USAGE "extended_key_usage: [2.23.133.8.3]\n"
#define ONE_POLICY "1.3.6.1.4.1.99999.1"
#define TRUST "trust_policies: { "

static const struct {
	size_t line; /* this one is replaced; 0: none */
	const char *by; /* NULL: it is left out */
	const char *where; /* line and column of the only problem; NULL: there is none */
	const char *says;
} rows[] = {
	{0, NULL, NULL, NULL},
	{5, "lifetime: 300s", NULL, NULL},
	{10, "        - { type: 2.5.4.3, value: \"${host}\" }", NULL, NULL},
	{10, "        - { type: 2.5.4.3, value: plain }", NULL, NULL},
	{1, NULL, "1:1", "\"name\" is missing"},
	{1, "name: \"\"", "1:7", "\"name\""},
	{1, "name: AK", "1:1", "no template's name"},
	{1, "name: web tls", "1:1", "no template's name"},
	{1, "name: .ak", "1:1", "no template's name"},
	{1,
		"name: a\xc3\xa4"
		"k",
		"1:1", "no template's name"},
	{2, "version: 0", "2:10", "\"version\""},
	{2, "version: one", "2:10", "whole number"},
	{3, "kind: ssh", "3:7", "wanted one of x509"},
	{4, "key: tls", "4:6", "wanted one of ak"},
	{5, "lifetime: 299s", "5:11", "\"lifetime\""},
	{5, "lifetime: 3661d", "5:11", "\"lifetime\""},
	{5, "lifetime: 90", "5:11", "90d"},
	{5, "lifetime: 90d\nbackdate: 25h", "6:11", "\"backdate\""},
	{5, "lifetime: 90d\nlifetim: 1d", "6:1", "unknown key"},
	{5, "lifetime: 90d\nlifetime: 91d", "6:1", "twice"},
	{7, "  critical: false", "7:3", "RFC 5280 4.2.1.6"},
	{7, "  critical: yes", "7:13", "true or false"},
	{8, "  names: []\n  other:", "8:10", NULL},
	{9, "    - permanent_identifier: x\n      directory_name:", "9:7", "wanted one of"},
	{10, "        - { type: 2.5.4.3, value: \"${hosts}\" }", "10:11", "no variable"},
	{10, "        - { type: 2.5.4.3, value: \"x${host}\" }", "10:11", "no variable"},
	{10, "        - { type: 2.5.4.3, value: \"$\" }", "10:11", "no variable"},
	{10, "        - { type: commonName, value: x }", "10:11", "object identifier"},
	{10, "        - { type: 9.9.9, value: x }", "10:11", "object identifier"},
	{10, "        - { type: 2.5.4.3 }", "10:11", "\"value\" is missing"},
	{11, "    - permanent_identifier: \"${device}\"", "11:7", "no variable"},
	{12, "key_usage: []", "12:12", "1 to 9"},
	{12, "key_usage: [signing]", "1:1", "no key usage"},
	{12, "key_usage: digitalSignature", "12:12", "a list"},
	{13, "extended_key_usage: [serverAuth]", "1:1", "object identifier"},
	{13, NULL, "1:1", "\"extended_key_usage\" is missing"},
	{10, "        - { type: 2.5.4.3, value: \"${tpm.model}\" }\n      optional: true", NULL,
		NULL},
	{10, "        - { type: 2.5.4.3, value: x }\n      optional: maybe", "11:17",
		"true or false"},
	{11, "    - permanent_identifier: \"${device.id}\"\n      optional: true", "11:7",
		"directory_name only"},
	{11, "      optional: true", "7:3", "every name is optional"},
	{13, USAGE "policies: [1.3.6.1.4.1.99999.1, 1.3.6.1.4.1.99999.2]", NULL, NULL},
	{13, USAGE "policies: [" ONE_POLICY "]\n" TRUST "allow-list: 1.3.6.1.4.1.99999.2 }", NULL,
		NULL},
	{13, USAGE TRUST "manufacturer: " ONE_POLICY ", operator-import: " ONE_POLICY " }", NULL,
		NULL},
	{13, USAGE "policies: []", "14:11", "1 to 16"},
	{13, USAGE "policies: [policy]", "1:1", "object identifier"},
	{13, USAGE "policies: [" ONE_POLICY ", " ONE_POLICY "]", "1:1", "twice"},
	{13, USAGE "policies: [" ONE_POLICY ", 1.3.6.1.4.1.99999.01]", "1:1", "twice"},
	{13, USAGE "policies: [2.5.29.32.0]", "1:1", "anyPolicy"},
	{13, USAGE TRUST "approved: 3.1.1 }", "14:17", "object identifier"},
	{13, USAGE TRUST "approved: 2.5.29.32.0 }", "14:17", "anyPolicy"},
	{13, USAGE TRUST "unproven-root: " ONE_POLICY " }", "14:19", "unknown key"},
	{13, USAGE "policies: [" ONE_POLICY "]\n" TRUST "approved: " ONE_POLICY " }", "15:17",
		"twice"},
};

static void add_template(size_t row, struct buf *text)
{
	for (size_t i = 0; i < COUNT(lines); i++) {
		if (rows[row].line == i + 1 && rows[row].by == NULL)
			continue;
		buf_fmt(text, "%s\n", rows[row].line == i + 1 ? rows[row].by : lines[i]);
	}
}

/* The first problem begins with the file, line and column, and says what is wrong. */
static void assert_problem(size_t row, const char *dir, const struct problems *problems)
{
	AUTO(buf_free) struct buf start = BUF(4096);
	const char *text = buf_text(&problems->text);

	buf_fmt(&start, "%s/t.yaml:%s: ", dir, rows[row].where);
	if (strncmp(text, buf_text(&start), start.n) != 0 ||
		(rows[row].says != NULL && strstr(text, rows[row].says) == NULL))
		fail_msg("row %zu: wanted %s ... %s, got %s", row, rows[row].where,
			rows[row].says == NULL ? "" : rows[row].says, text);
	if (rows[row].says != NULL && problems->n != 1)
		fail_msg("row %zu: more than one problem: %s", row, text);
}

static void each_fault_is_told_with_its_line_and_column(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(scratch_remove) char *dir = scratch_make();
		AUTO(templates_close) struct templates *templates = NULL;
		AUTO(problems_free) struct problems problems;
		AUTO(buf_free) struct buf text = BUF(8192);

		problems_init(&problems);
		add_template(i, &text);
		scratch_put(dir, "t.yaml", buf_view(&text));
		if (rows[i].where == NULL) {
			assert_ok(templates_load(dir, &problems, &templates));
			assert_non_null(template_named(templates, "ak"));
			continue;
		}
		assert_refused(
			templates_load(dir, &problems, &templates), ERR_MALFORMED, "templates");
		assert_null(templates);
		assert_problem(i, dir, &problems);
	}
}

static void the_problems_of_all_files_are_told(void **state)
{
	AUTO(scratch_remove) char *dir = scratch_make();
	AUTO(problems_free) struct problems problems;
	AUTO(buf_free) struct buf good = BUF(8192);
	struct templates *templates = NULL;

	(void)state;
	problems_init(&problems);
	add_template(0, &good);
	scratch_put(dir, "a.yaml", view_str("a: [\n"));
	scratch_put(dir, "b.yaml", buf_view(&good));
	scratch_put(dir, "c.yaml", buf_view(&good));
	scratch_put(dir, "d.yml", view_str("not looked at"));
	scratch_put(dir, ".e.yaml", view_str("not looked at"));
	assert_refused(templates_load(dir, &problems, &templates), ERR_MALFORMED, "templates");
	assert_int_equal(2, problems.n);
	assert_non_null(strstr(buf_text(&problems.text), "/a.yaml:2:1: "));
	assert_non_null(
		strstr(buf_text(&problems.text), "/c.yaml:1:1: a second template named \"ak\""));
}

static void a_directory_without_a_template_is_a_problem(void **state)
{
	AUTO(scratch_remove) char *dir = scratch_make();
	AUTO(mem_free) char *missing = path_join(dir, "missing");
	const char *const dirs[] = {dir, missing};
	struct templates *templates = NULL;

	(void)state;
	for (size_t i = 0; i < COUNT(dirs); i++) {
		AUTO(problems_free) struct problems problems;

		problems_init(&problems);
		assert_refused(
			templates_load(dirs[i], &problems, &templates), ERR_MALFORMED, "templates");
		assert_int_equal(1, problems.n);
	}
}

static void sixty_five_templates_are_too_many(void **state)
{
	AUTO(scratch_remove) char *dir = scratch_make();
	AUTO(problems_free) struct problems problems;
	struct templates *templates = NULL;

	(void)state;
	problems_init(&problems);
	for (int i = 0; i < 65; i++) {
		AUTO(buf_free) struct buf text = BUF(8192), name = BUF(64);

		buf_fmt(&text, "name: t%d\n", i);
		for (size_t j = 1; j < COUNT(lines); j++)
			buf_fmt(&text, "%s\n", lines[j]);
		buf_fmt(&name, "%d.yaml", i);
		scratch_put(dir, buf_text(&name), buf_view(&text));
	}
	assert_refused(templates_load(dir, &problems, &templates), ERR_MALFORMED, "templates");
	assert_null(templates);
}

static void a_trust_class_has_the_policy_that_the_template_names_for_it(void **state)
{
	const struct template tmpl = {.trust_policies = {.manufacturer = (char *)"1.2.3.1",
					      .allow_list = (char *)"1.2.3.3"}};

	(void)state;
	assert_string_equal("1.2.3.1", template_trust_policy(&tmpl, "manufacturer"));
	assert_string_equal("1.2.3.3", template_trust_policy(&tmpl, "allow-list"));
	assert_null(template_trust_policy(&tmpl, "operator-import"));
	assert_null(template_trust_policy(&tmpl, "approved"));
	assert_null(template_trust_policy(&tmpl, "unproven-root"));
	assert_null(template_trust_policy(&tmpl, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shipped_templates_load),
		cmocka_unit_test(each_fault_is_told_with_its_line_and_column),
		cmocka_unit_test(the_problems_of_all_files_are_told),
		cmocka_unit_test(a_directory_without_a_template_is_a_problem),
		cmocka_unit_test(sixty_five_templates_are_too_many),
		cmocka_unit_test(a_trust_class_has_the_policy_that_the_template_names_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
