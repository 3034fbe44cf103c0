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
#define ACCESS "authority_information: { "
#define EXTENSION "extensions:\n  - { oid: 1.3.6.1.4.1.99999.7, "

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
	{10, "        - { type: 2.5.4.3, value: \"x ${host}, ${label.rack}\" }", NULL, NULL},
	{10, "        - { type: 2.5.4.3, value: \"${host\" }", "10:11", "no variable"},
	{10, "        - { type: 2.5.4.3, value: \"${label.}\" }", "10:11", "no variable"},
	{10, "        - { type: 2.5.4.3, value: \"a\\tb\" }", "10:11", "control characters"},
	{10, "        - { type: 2.5 4 3, value: x }", "10:11", "object identifier"},
	{10, "        - { type: 2.5.4.3., value: x }", "10:11", "object identifier"},
	{10, "        - { type: 2.5.4.3, value: \"$\" }", "10:11", "no variable"},
	{10, "        - { type: commonName, value: x }", "10:11", "object identifier"},
	{10, "        - { type: 9.9.9, value: x }", "10:11", "object identifier"},
	{10, "        - { type: 2.5.4.3 }", "10:11", "\"value\" is missing"},
	{11, "    - permanent_identifier: \"${device}\"", "11:7", "no variable"},
	{11, "    - dns_name: \"${host}\"\n    - dns_name: \"api.${host}\"", NULL, NULL},
	{11, "    - dns_name: \"*.${host.domain}\"", "11:7", "host's name"},
	{11, "    - dns_name: \"${ek.sha256}\"", "11:7", "host's name"},
	{11, "    - dns_name: Web-01.example.org", "11:7", "host's name"},
	{11, "    - uri: \"urn:ek:sha256:${ek.sha256.base64}\"", NULL, NULL},
	{11, "    - uri: \"spiffe://example.org/${label.role}\"", NULL, NULL},
	{11, "    - uri: \"${host}\"", "11:7", "a URI"},
	{11, "    - uri: \"urn:a b\"", "11:7", "a URI"},
	{11, "    - uri: \"urn:a%2\"", "11:7", "a URI"},
	{11, "    - hardware_module_name: { type: 2.23.133.1.2, serial: \"${ek.serial}\" }", NULL,
		NULL},
	{11, "    - hardware_module_name: { type: 2.23.133.1.2 }", "11:29", "RFC 4108 5"},
	{11, "    - hardware_module_name: { serial: x }", "11:29", "RFC 4108 5"},
	{11, "    - hardware_module_name: {}", "11:29", "RFC 4108 5"},
	{11, "    - hardware_module_name: { type: tpm, serial: x }", "11:29", "object identifier"},
	{11, "    - dns_name: \"${host}\"\n      uri: \"urn:x:y\"", "11:7", "wanted one of"},
	{11,
		"    - permanent_identifier: x\n      hardware_module_name: { type: 1.2.3, serial: "
		"x }",
		"11:7", "wanted one of"},
	{11, "    - dns_name: \"${host}\"\n      optional: true", "11:7", "directory_name only"},
	{12, "key_usage: []", "12:12", "1 to 9"},
	{12, NULL, "1:1", "\"key_usage\" is missing"},
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
	{13, USAGE "extended_key_usage_critical: true", NULL, NULL},
	{13, USAGE "decrypt: true", "1:1", "decrypt goes with key: certified"},
	{13, USAGE "skae: true", "1:1", "skae is what the AK said"},
	{13, USAGE "ssh: { principals: [x] }", "14:6", "not of x509"},
	{13, USAGE "ssh: {}", "14:6", "not of x509"},
	{13, USAGE ACCESS "ca_issuers: http://ca.example.org/ca.cer }", NULL, NULL},
	{13, USAGE ACCESS "ocsp: \"http://ca.example.org/${host}\" }", "14:24", "URL"},
	{13, USAGE ACCESS "ocsp: somewhere }", "14:24", "URL"},
	{13, USAGE "authority_information: {}", "14:24", "ca_issuers, ocsp"},
	{13, USAGE EXTENSION "type: utf8, value: \"${label.rack}\" }", NULL, NULL},
	{13, USAGE EXTENSION "type: \"null\", critical: true }", NULL, NULL},
	{13, USAGE EXTENSION "type: \"null\", value: x }", "15:5", "null has no value"},
	{13, USAGE EXTENSION "type: utf8 }", "15:5", "wants a value"},
	{13, USAGE EXTENSION "type: utf8, value: \"\" }", "15:5", "1 to 512"},
	{13, USAGE EXTENSION "type: der, value: 300A }", "15:39", "wanted one of utf8"},
	{13, USAGE EXTENSION "type: integer, value: 0x10 }", "15:5", "whole number"},
	{13, USAGE EXTENSION "type: integer, value: \"${host}\" }", "15:5", "whole number"},
	{13, USAGE EXTENSION "type: boolean, value: 1 }", "15:5", "true or false"},
	{13, USAGE EXTENSION "type: oid, value: serverAuth }", "15:5", "object identifier"},
	{13, USAGE EXTENSION "type: printable, value: a_b }", "15:5", "letters, digits"},
	{13, USAGE EXTENSION "type: ia5, value: \"\\xE4\" }", "15:5", "ASCII"},
	{13, USAGE EXTENSION "type: utf8, value: \"DER:300A\" }", NULL, NULL},
	{13, USAGE "extensions:\n  - { oid: tcg, type: utf8, value: x }", "15:5", "identifier"},
	{13, USAGE "extensions:\n  - { oid: 2.5.29.17, type: utf8, value: x }", "15:5", "its own"},
	{13, USAGE "extensions:\n  - { oid: 2.5.029.17, type: utf8, value: x }", "15:5", "its own"},
	{13, USAGE "extensions:\n  - { oid: 1.3.6.1.5.5.7.1.1, type: utf8, value: x }", "15:5",
		"its own"},
	{13, USAGE "extensions:\n  - { oid: 2.23.133.6.1.1, type: utf8, value: x }", "15:5",
		"its own"},
	{13, USAGE "extensions:\n  - { oid: 2.23.133.6.1, type: utf8, value: x }", "15:5",
		"its own"},
	{13,
		USAGE EXTENSION
		"type: utf8, value: x }\n  - { oid: 1.3.6.1.4.1.99999.07, type: utf8, value: y }",
		"16:5", "twice"},
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
			if (templates_load(dir, &problems, &templates) != OK)
				fail_msg("row %zu: %s", i, buf_text(&problems.text));
			assert_non_null(template_named(templates, "ak"));
			continue;
		}
		assert_refused_in(rows[i].by == NULL ? "" : rows[i].by,
			templates_load(dir, &problems, &templates), ERR_MALFORMED, "templates");
		assert_null(templates);
		assert_problem(i, dir, &problems);
	}
}

#define HEAD "name: it\nversion: 1\nlifetime: 1d\n" /* three lines */
#define NAMED "subject_alt_name: { names: [ { dns_name: \"${host}\" } ] }\n"
#define USAGES "key_usage: [digitalSignature]\nextended_key_usage: [1.3.6.1.5.5.7.3.1]\n"
#define SSH_HOST HEAD "kind: ssh-host\nkey: any\n"
#define PRINCIPALS "ssh: { principals: [\"${host}\"] }\n"

static const struct {
	const char *text, *where, *says; /* as in the table above */
} whole[] = {
	{HEAD "kind: x509\nkey: certified\ndecrypt: true\nskae: true\n" USAGES NAMED, NULL, NULL},
	{HEAD "kind: x509\nkey: any\n" USAGES "subject: [ { type: 2.5.4.3, value: \"${host}\" } ]",
		NULL, NULL},
	{HEAD "kind: x509\nkey: any\n" USAGES, "1:1", "RFC 5280 4.1.2.6"},
	{HEAD "kind: x509\nkey: any\nskae: true\n" USAGES NAMED, "1:1", "skae is what the AK said"},
	{HEAD "kind: x509\nkey: any\ndecrypt: true\n" USAGES NAMED, "1:1", "decrypt goes with"},
	{HEAD "kind: x509\nkey: any\n" USAGES "subject_alt_name: {}", "8:19",
		"\"names\" is missing"},
	{HEAD "kind: x509\nkey: any\n" USAGES
	      "subject: [ { type: 2.5.4.3, value: x } ]\nsubject_alt_name: { critical: false, "
	      "names: [ { dns_name: \"${host}\" } ] }\n",
		NULL, NULL},
	{SSH_HOST PRINCIPALS, NULL, NULL},
	{HEAD "kind: ssh-user\nkey: certified\nssh:\n  principals: [\"${label.role}\", deploy]\n"
	      "  key_id: \"${device.id}\"\n  critical_options: [ { name: force-command, value: "
	      "\"/bin/true\" } ]\n  extensions: [ { name: permit-pty } ]\n",
		NULL, NULL},
	{SSH_HOST, "1:1", "no principals"},
	{SSH_HOST "ssh: { key_id: x }\n", "6:6", "no principals"},
	{SSH_HOST "ssh: { principals: [] }\n", "6:20", "1 to 64"},
	{SSH_HOST "ssh: { principals: [\"a,b\"] }\n", "6:6", "letters, digits and . _ - @"},
	{SSH_HOST "ssh: { principals: [\"${hosts}\"] }\n", "6:6", "no variable"},
	{SSH_HOST "ssh: { principals: [x], key_id: \"${y}\" }\n", "6:6", "no variable"},
	{SSH_HOST "ssh: { principals: [x], extensions: [ { name: permit-pty } ] }\n", "6:6",
		"of ssh-user only"},
	{HEAD "kind: ssh-user\nkey: any\nssh: { principals: [x], extensions: [ { name: a }, "
	      "{ name: a } ] }\n",
		"6:52", "twice"},
	{HEAD "kind: ssh-user\nkey: any\nssh: { principals: [x], critical_options: [ { name: a, "
	      "value: \"${b}\" } ] }\n",
		"6:45", "no variable"},
	{SSH_HOST PRINCIPALS "subject: [ { type: 2.5.4.3, value: x } ]\n", "1:1",
		"subject is of kind x509, not of ssh-host"},
	{SSH_HOST PRINCIPALS NAMED, "1:1", "subject_alt_name is of kind x509"},
	{SSH_HOST PRINCIPALS "key_usage: [digitalSignature]\n", "1:1", "key_usage is of kind x509"},
	{SSH_HOST PRINCIPALS "extended_key_usage: [1.3.6.1.5.5.7.3.1]\n", "1:1",
		"extended_key_usage is of kind x509"},
	{SSH_HOST PRINCIPALS "extended_key_usage_critical: true\n", "1:1",
		"extended_key_usage_critical is of kind x509"},
	{SSH_HOST PRINCIPALS "policies: [1.2.3]\n", "1:1", "policies is of kind x509"},
	{SSH_HOST PRINCIPALS "trust_policies: { approved: 1.2.3 }\n", "1:1",
		"trust_policies is of kind x509"},
	{SSH_HOST PRINCIPALS "authority_information: { ocsp: \"http://x/\" }\n", "1:1",
		"authority_information is of kind x509"},
	{SSH_HOST PRINCIPALS "extensions: [ { oid: 1.2.3, type: utf8, value: x } ]\n", "1:1",
		"extensions is of kind x509"},
	{SSH_HOST PRINCIPALS "skae: true\n", "1:1", "skae is of kind x509"},
	{SSH_HOST PRINCIPALS "decrypt: true\n", "1:1", "decrypt goes with"},
};

static void combinations_that_cannot_be_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(whole); i++) {
		AUTO(scratch_remove) char *dir = scratch_make();
		AUTO(templates_close) struct templates *templates = NULL;
		AUTO(problems_free) struct problems problems;
		AUTO(buf_free) struct buf start = BUF(4096);
		const char *told;

		problems_init(&problems);
		scratch_put(dir, "t.yaml", view_str(whole[i].text));
		if (whole[i].where == NULL) {
			if (templates_load(dir, &problems, &templates) != OK)
				fail_msg("row %zu: %s", i, buf_text(&problems.text));
			continue;
		}
		assert_refused_in(whole[i].says, templates_load(dir, &problems, &templates),
			ERR_MALFORMED, "templates");
		told = buf_text(&problems.text);
		buf_fmt(&start, "%s/t.yaml:%s: ", dir, whole[i].where);
		if (problems.n != 1 || strncmp(told, buf_text(&start), start.n) != 0 ||
			strstr(told, whole[i].says) == NULL)
			fail_msg("row %zu: wanted %s ... %s, got %s", i, whole[i].where,
				whole[i].says, told);
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

static void a_template_tells_which_variables_it_uses(void **state)
{
	static const char *const used[] = {"organization", "label.", "label.note", "label.rack",
		"label.floor", "device.id", "host", "host.domain", "ek.sha256.base64", "ek.serial",
		"tpm.manufacturer", "tpm.model", "tpm.version", "trust.class"};
	AUTO(templates_close) struct templates *templates = NULL;
	AUTO(problems_free) struct problems problems;
	AUTO(mem_free) char *dir = source_path("tests/data/templates");
	const struct template *tmpl;

	(void)state;
	problems_init(&problems);
	assert_ok(templates_load(dir, &problems, &templates));
	tmpl = template_named(templates, "everything");
	for (size_t i = 0; i < COUNT(used); i++)
		if (!template_uses(tmpl, used[i]))
			fail_msg("%s", used[i]);
	assert_false(template_uses(tmpl, "ek.sha256"));
	assert_false(template_uses(tmpl, "label.other"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shipped_templates_load),
		cmocka_unit_test(each_fault_is_told_with_its_line_and_column),
		cmocka_unit_test(combinations_that_cannot_be_are_told),
		cmocka_unit_test(the_problems_of_all_files_are_told),
		cmocka_unit_test(a_directory_without_a_template_is_a_problem),
		cmocka_unit_test(sixty_five_templates_are_too_many),
		cmocka_unit_test(a_template_tells_which_variables_it_uses),
		cmocka_unit_test(a_trust_class_has_the_policy_that_the_template_names_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
