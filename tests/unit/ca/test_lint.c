#include "ca/lint.h"

#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/base/oid.h"
#include "ca/base/ossl.h"
#include "ca/validity.h"
#include "tests/unit/ca/issuer.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

/* One change to one shipped template: `from` of its text becomes `to`. */
struct fault {
	const char *rule, *template, *from, *to;
	const char *issuer[2]; /* an extension of the CA's certificate: name and value */
};

#define AK_EKU "extended_key_usage: [2.23.133.8.3]"
#define SERVER_EKU "extended_key_usage: [1.3.6.1.5.5.7.3.1]"
#define CLIENT_EKU "extended_key_usage: [1.3.6.1.5.5.7.3.2]"
#define SIGNS "key_usage: [digitalSignature]"
#define DNS "- dns_name: \"${host}\""
#define PRINCIPALS "principals: [\"${host}\"]"

static const struct fault faults[] = {
	{"usage-ca", "tls-client", SIGNS, "key_usage: [digitalSignature, keyCertSign]", {0}},
	{"usage-ca", "ak", SIGNS, "key_usage: [digitalSignature, cRLSign]", {0}},
	{"usage-decrypt", "tls-server", SIGNS, "key_usage: [digitalSignature, keyEncipherment]",
		{0}},
	{"usage-decrypt", "ak", SIGNS, "key_usage: [digitalSignature, keyEncipherment]", {0}},
	{"usage-decrypt", "ak", SIGNS, "key_usage: [digitalSignature, dataEncipherment]", {0}},
	{"usage-decrypt", "ldevid", SIGNS, "key_usage: [digitalSignature, keyAgreement]", {0}},
	{"usage-only", "ldevid", SIGNS, "key_usage: [digitalSignature, encipherOnly]", {0}},
	{"usage-only", "ldevid", SIGNS, "key_usage: [digitalSignature, decipherOnly]", {0}},
	{"decrypt-unused", "tls-server", "skae: true", "decrypt: true", {0}},
	{"eku-any", "tls-client", CLIENT_EKU, "extended_key_usage: [2.5.29.37.0]", {0}},
	{"eku-any", "ak", AK_EKU, "extended_key_usage: [2.23.133.8.3, 2.5.29.37.0]", {0}},
	{"eku-ocsp", "tls-client", CLIENT_EKU, "extended_key_usage: [1.3.6.1.5.5.7.3.9]", {0}},
	{"eku-twice", "tls-client", CLIENT_EKU,
		"extended_key_usage: [1.3.6.1.5.5.7.3.2, 1.3.6.1.5.5.7.3.2]", {0}},
	{"tls-signature", "tls-server", SIGNS, "key_usage: [nonRepudiation]", {0}},
	{"tls-signature", "tls-client", SIGNS, "key_usage: [nonRepudiation]", {0}},
	{"tls-name", "tls-server", "- dns_name: \"${host}\"", "- uri: \"urn:host:${host}\"", {0}},
	{"tls-lifetime", "tls-server", "lifetime: 30d", "lifetime: 826d", {0}},
	{"backdate", "tls-client", "backdate: 5m", "backdate: 61m", {0}},
	{"backdate", "ssh-user", "backdate: 5m", "backdate: 61m", {0}},
	{"backdate", "ak", "lifetime: 90d\nbackdate: 5m", "lifetime: 10m\nbackdate: 6m", {0}},
	{"extension-critical", "tls-client", "skae: true",
		"extensions: [{oid: 1.3.6.1.4.1.99999.1, type: \"null\", critical: true}]", {0}},
	{"access-http", "tls-client", "skae: true",
		"authority_information: {ca_issuers: \"https://ca.example.test/ca.cer\"}", {0}},
	{"access-http", "tls-client", "skae: true",
		"authority_information: {ocsp: \"ldap://ca.example.test/\"}", {0}},
	{"ak-stray", "ak-step", "key: ak", "key: certified", {0}},
	{"ak-stray", "ak", "key: ak", "key: any", {0}},
	{"ak-usage", "ak", SIGNS, "key_usage: [digitalSignature, nonRepudiation]", {0}},
	{"ak-usage", "ak-private", SIGNS, "key_usage: [nonRepudiation]", {0}},
	{"ak-eku", "ak-named", AK_EKU, "extended_key_usage: [2.23.133.8.3, 1.3.6.1.5.5.7.3.1]",
		{0}},
	{"ak-eku", "ak", AK_EKU, "extended_key_usage: [2.23.133.8.3, 1.3.6.1.5.5.7.3.2]", {0}},
	{"ak-eku", "ak", AK_EKU, "extended_key_usage: [1.3.6.1.4.1.99999.1, 2.23.133.8.3]", {0}},
	{"ak-subject", "ak", SIGNS, SIGNS "\nsubject: [{type: 2.5.4.5, value: \"${device.id}\"}]",
		{0}},
	{"ak-facts", "ak", "        - { type: 2.23.133.2.2, value: \"${tpm.model}\" }\n", "", {0}},
	{"ak-facts", "iak", "2.23.133.2.3", "2.23.133.2.4", {0}},
	{"ak-identity", "ak-private", "key: ak\n",
		"key: ak\nextensions: [{oid: 1.3.6.1.4.1.99999.1, type: utf8, value: "
		"\"${label.rack}\"}]\n",
		{0}},
	{"ak-identity", "ak-named", "    - permanent_identifier: \"${device.id}\"\n", "", {0}},
	{"ak-identity", "ak-step", "    - permanent_identifier: \"${device.id}\"\n", "", {0}},
	{"property", "platform-property", "9573563.1.1]", "9573563.1.1, 1.3.6.1.4.1.99999.1]", {0}},
	{"property", "platform-property", "extended_key_usage_critical: true",
		"extended_key_usage_critical: false", {0}},
	{"property", "platform-property", "key: ak\n", "key: certified\n", {0}},
	{"property", "platform-property", "- dns_name: \"${host}\"", "- uri: \"urn:x:${host}\"",
		{0}},
	{"residency", "ldevid", "2.23.133.11.1.2]", "2.23.133.11.1.3]", {0}},
	{"residency", "ldevid", "2.23.133.11.1.2]", "2.23.133.11.1.4]", {0}},
	{"residency", "iak", "2.23.133.11.1.3]", "2.23.133.11.1.4]", {0}},
	{"hardware", "ldevid", "{ type: 2.23.133.1.2,", "{ type: 2.23.133.1.3,", {0}},
	{"hardware", "ldevid", "policies: [2.23.133.11.1.1, 2.23.133.11.1.2]",
		"policies: [2.23.133.11.1.2]", {0}},
	{"name-source", "tls-server", DNS, DNS "\n    - dns_name: \"${tpm.model}.example.test\"",
		{0}},
	{"name-source", "tls-server", DNS, DNS "\n    - dns_name: \"${host.domain}\"", {0}},
	{"name-host", "tls-server", DNS, "- dns_name: \"www.${host.domain}\"", {0}},
	{"name-host", "tls-client", DNS, "- dns_name: \"${label.a}.example.test\"", {0}},
	{"name-source", "ssh-user", PRINCIPALS, "principals: [\"${ek.serial}\"]", {0}},
	{"value", "tls-client", "{ type: 2.5.4.10, value: \"${organization}\" }",
		"{ type: 2.5.4.6, value: \"${organization}\" }", {0}},
	{"value", "ssh-user", PRINCIPALS,
		"principals: [\"${label.a}${device.id}${device.id}${device.id}${device.id}\"]",
		{0}},
	{"issuer-lifetime", "tls-client", "lifetime: 30d", "lifetime: 3659d", {0}},
	{"issuer-crl-sign", "tls-server", "", "", {"keyUsage", "critical,keyCertSign"}},
	{"issuer-crl-sign", "ak", "key: ak\n", "key: ak\nrevocation: crl\n",
		{"keyUsage", "critical,keyCertSign"}},
	{"issuer-purposes", "tls-server", "", "", {"extendedKeyUsage", "clientAuth"}},
	{"issuer-policies", "iak", "", "",
		{"certificatePolicies", "2.23.133.11.1.1,1.3.6.1.4.1.99999.1"}},
	{"issuer-policies", "tls-client", "skae: true",
		"trust_policies: {approved: 1.3.6.1.4.1.99999.2}",
		{"certificatePolicies", "1.3.6.1.4.1.99999.1"}},
	{"issuer-constraints", "tls-server", DNS, DNS "\n    - dns_name: www.elsewhere.test",
		{"nameConstraints", "permitted;DNS:example.test"}},
	{"issuer-constraints", "tls-server", DNS,
		DNS "\n    - dns_name: \"${label.site}.elsewhere.test\"",
		{"nameConstraints", "permitted;DNS:example.test"}},
	{"issuer-constraints", "tls-server", "", "", {"nameConstraints", "excluded;DNS:test"}},
	{"issuer-constraints", "ak", "", "", {"nameConstraints", "permitted;dirName:org"}},
	{"ssh-ak", "ssh-host", "key: any", "key: ak", {0}},
	{"ssh-host-name", "ssh-host", PRINCIPALS, "principals: [web]", {0}},
	{"ssh-root", "ssh-user", PRINCIPALS, "principals: [\"${host}\", root]", {0}},
	{"ssh-key-id", "ssh-host", "key_id: \"${device.id}\"", "key_id: \"${host}\"", {0}},
	{"ssh-option", "ssh-user", PRINCIPALS, PRINCIPALS "\n  critical_options: [{name: no-such}]",
		{0}},
	{"ssh-option", "ssh-user", PRINCIPALS, PRINCIPALS "\n  extensions: [{name: permit-tty}]",
		{0}},
	{"ssh-option", "ssh-user", PRINCIPALS,
		PRINCIPALS "\n  extensions: [{name: force-command, value: x}]", {0}},
	{"ssh-option", "ssh-user", PRINCIPALS,
		PRINCIPALS "\n  critical_options: [{name: permit-pty}]", {0}},
	{"ssh-option", "ssh-user", PRINCIPALS,
		PRINCIPALS "\n  critical_options: [{name: force-command}]", {0}},
	{"ssh-option", "ssh-user", PRINCIPALS,
		PRINCIPALS "\n  extensions: [{name: permit-pty, value: yes}]", {0}},
	{"ssh-source-address", "ssh-user", PRINCIPALS,
		PRINCIPALS
		"\n  critical_options: [{name: source-address, value: \"example.test\"}]",
		{0}},
	{"ssh-source-address", "ssh-user", PRINCIPALS,
		PRINCIPALS "\n  critical_options: [{name: source-address, value: "
			   "\"192.0.2.0/33,2001:db8::/32\"}]",
		{0}},
	/* What templates_load() refuses has no rule's name in front. */
	{NULL, "tls-server", "  critical: true", "  critical: false", {0}},
	{NULL, "tls-server", SIGNS "\n", "", {0}},
	{NULL, "tls-server", SERVER_EKU "\n", "", {0}},
	{NULL, "tls-server", "skae: true",
		"extensions: [{oid: 2.5.29.19, type: boolean, value: \"true\"}]", {0}},
	{NULL, "ssh-host", "key_id:", "extensions: [{name: permit-pty}]\n  key_id:", {0}},
	{NULL, "ssh-user", PRINCIPALS, "principals: []", {0}},
	{NULL, "ssh-host", "  " PRINCIPALS "\n", "", {0}},
	{NULL, "ssh-host", "key: any", "key: any\nskae: true", {0}},
	{NULL, "ak", "key: ak", "key: ak\nskae: true", {0}},
	{NULL, "ak", "key: ak", "key: ak\nrevocation: always", {0}},
	{NULL, "ssh-host", "key: any", "key: any\nrevocation: both", {0}},
	{NULL, "ak", "key: ak",
		"key: ak\nrevocation: crl\nauthority_information: {ocsp: \"http://a.test/\"}", {0}},
};

/* What nobody is to be refused for. */
static const struct fault good[] = {
	{NULL, "tls-server", SIGNS, "decrypt: true\nkey_usage: [digitalSignature, keyEncipherment]",
		{0}},
	{NULL, "tls-server", "", "", {"nameConstraints", "permitted;DNS:corp.example"}},
	{NULL, "tls-server", DNS, DNS "\n    - dns_name: \"${label.name}.corp.example\"",
		{"nameConstraints", "permitted;DNS:corp.example"}},
	{NULL, "ldevid", "", "", {"certificatePolicies", "anyPolicy"}},
	{NULL, "tls-peer", "", "", {"extendedKeyUsage", "clientAuth,serverAuth"}},
	{NULL, "tls-peer", "", "", {"keyUsage", "critical,keyCertSign,cRLSign"}},
	{NULL, "tls-peer", "key: certified\n", "key: certified\nrevocation: ocsp\n",
		{"keyUsage", "critical,keyCertSign"}},
	{NULL, "tls-peer", "key: certified\n", "key: certified\nrevocation: none\n",
		{"keyUsage", "critical,keyCertSign"}},
	{NULL, "ak", "key: ak",
		"key: ak\nrevocation: ocsp\nauthority_information: {ocsp: \"http://a.test/\"}",
		{0}},
	{NULL, "tls-server", "lifetime: 30d", "lifetime: 825d", {0}},
	{NULL, "tls-client", "backdate: 5m", "backdate: 1h", {0}},
	{NULL, "ak", AK_EKU, "extended_key_usage: [2.23.133.8.3, 1.3.6.1.4.1.99999.1]", {0}},
	{NULL, "ssh-user", PRINCIPALS,
		"principals: [\"${label.account}\"]\n  critical_options: [{name: source-address, "
		"value: \"192.0.2.0/24,2001:db8::1\"}]\n  extensions: [{name: "
		"\"x@example.test\"}, {name: permit-pty}]",
		{0}},
};

/* A CA's certificate; unsigned, for nobody verifies it here. */
static X509 *issuer_with(const char *name, const char *value)
{
	static const char org[] = "[org]\nO=Example\n";
	AUTO(bio_free) BIO *bio = BIO_new_mem_buf(org, -1);
	X509 *cert = X509_new();
	CONF *conf = NCONF_new(NULL);
	X509_EXTENSION *extension;
	int64_t now = clock_now();
	X509V3_CTX ctx;
	long line;

	assert_int_equal(1, NCONF_load_bio(conf, bio, &line));
	assert_ok(validity_set(cert, now, now + (int64_t)3650 * DAY));
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "O", MBSTRING_UTF8,
		(const uint8_t *)"Example", -1, -1, 0);
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	X509V3_set_nconf(&ctx, conf);
	extension = X509V3_EXT_nconf(
		conf, &ctx, "subjectKeyIdentifier", "0102030405060708090a0b0c0d0e0f1011121314");
	assert_int_equal(1, X509_add_ext(cert, extension, -1));
	X509_EXTENSION_free(extension);
	if (name != NULL) {
		extension = X509V3_EXT_nconf(conf, &ctx, name, value);
		assert_non_null(extension);
		assert_int_equal(1, X509_add_ext(cert, extension, -1));
		X509_EXTENSION_free(extension);
	}
	NCONF_free(conf);
	return cert;
}

/* The template with the one change, in a directory of its own. */
static char *directory_of(const struct fault *fault)
{
	AUTO(buf_free) struct buf text = BUF(1 << 16), changed = BUF(1 << 16), name = BUF(256);
	AUTO(mem_free) char *path = NULL;
	char *dir = scratch_make();
	const char *at;

	buf_fmt(&name, "templates/%s.yaml", fault->template);
	path = source_path(buf_text(&name));
	assert_ok(file_read(path, &text));
	/* Comments speak of what they are about. */
	at = strstr(buf_text(&text), "\nname: ");
	assert_non_null(at);
	at = strstr(at, fault->from);
	if (at == NULL)
		fail_msg("%s has no \"%s\"", fault->template, fault->from);
	buf_add(&changed, (struct view){text.p, (size_t)(at - (const char *)text.p)});
	buf_str(&changed, fault->to);
	buf_str(&changed, at + strlen(fault->from));
	scratch_put(dir, "t.yaml", buf_view(&changed));
	return dir;
}

static void find(const struct fault *fault, struct problems *problems)
{
	AUTO(scratch_remove) char *dir = directory_of(fault);
	AUTO(x509_free) X509 *issuer = issuer_with(fault->issuer[0], fault->issuer[1]);
	AUTO(templates_free) struct templates *templates = NULL;
	enum err err;

	problems_init(problems);
	err = templates_load(dir, problems, &templates);
	if (err == OK && fault->rule == NULL && problems->n == 0)
		err = templates_lint(templates, issuer, problems);
	else if (err == OK)
		assert_refused(
			templates_lint(templates, issuer, problems), ERR_MALFORMED, "templates");
	(void)err;
}

static size_t times(const char *text, const char *what)
{
	size_t n = 0;

	while ((text = strstr(text, what)) != NULL) {
		text += strlen(what);
		n++;
	}
	return n;
}

/* All that is found is found by that rule; `rule` NULL: by none. */
static void each_rule_finds_a_template_that_breaks_only_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		AUTO(problems_free) struct problems problems;
		AUTO(buf_free) struct buf wanted = BUF(128);

		find(&faults[i], &problems);
		if (faults[i].rule != NULL)
			buf_fmt(&wanted, ": [%s] ", faults[i].rule);
		else
			buf_str(&wanted, "/t.yaml:");
		if (problems.n == 0 ||
			times(buf_text(&problems.text), buf_text(&wanted)) != problems.n ||
			(faults[i].rule == NULL && strstr(buf_text(&problems.text), ": [") != NULL))
			fail_msg("row %zu, %s: wanted \"%s\" alone, got %zu:\n%s", i,
				faults[i].template, buf_text(&wanted), problems.n,
				buf_text(&problems.text));
	}
}

static void what_is_good_is_not_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		AUTO(problems_free) struct problems problems;

		find(&good[i], &problems);
		if (problems.n != 0)
			fail_msg("row %zu, %s:\n%s", i, good[i].template, buf_text(&problems.text));
	}
}

/* The CA's own, and with no CA at all. */
static void the_shipped_templates_have_no_finding(void **state)
{
	AUTO(problems_free) struct problems problems;
	AUTO(x509_free) X509 *issuer = issuer_with(NULL, NULL);
	AUTO(mem_free) char *dir = source_path("templates");
	AUTO(templates_free) struct templates *templates = NULL;

	(void)state;
	problems_init(&problems);
	if (templates_load(dir, &problems, &templates) != OK ||
		templates_lint(templates, NULL, &problems) != OK ||
		templates_lint(templates, issuer, &problems) != OK)
		fail_msg("%s", buf_text(&problems.text));
}

/* authority_load() takes no such CA; the rule is for endorsectl template check --ca. */
static void a_ca_without_a_key_identifier_is_found(void **state)
{
	AUTO(problems_free) struct problems problems;
	AUTO(x509_free) X509 *issuer = issuer_with(NULL, NULL);
	AUTO(mem_free) char *dir = source_path("templates");
	AUTO(templates_free) struct templates *templates = NULL;

	(void)state;
	problems_init(&problems);
	X509_EXTENSION_free(X509_delete_ext(
		issuer, X509_get_ext_by_NID(issuer, NID_subject_key_identifier, -1)));
	assert_ok(templates_load(dir, &problems, &templates));
	template_lint(template_named(templates, "tls-client"), issuer, &problems);
	assert_int_equal(1, problems.n);
	assert_non_null(strstr(buf_text(&problems.text), "[issuer-identifier] "));
	assert_non_null(strstr(buf_text(&problems.text), "(RFC 5280 4.2.1.1)\n"));
}

static bool is_tested(const char *rule)
{
	for (size_t i = 0; i < COUNT(faults); i++)
		if (faults[i].rule != NULL && strcmp(faults[i].rule, rule) == 0)
			return true;
	return strcmp(rule, "issuer-identifier") == 0;
}

static void every_rule_has_a_clause_a_sentence_and_a_fault(void **state)
{
	const struct lint_rule *rule;
	size_t n = 0;

	(void)state;
	for (; (rule = lint_rule_at(n)) != NULL; n++) {
		assert_true(rule->clause[0] != '\0' && rule->what[0] != '\0');
		for (size_t i = 0; i < n; i++)
			assert_string_not_equal(lint_rule_at(i)->name, rule->name);
		if (!is_tested(rule->name))
			fail_msg("no fault for the rule \"%s\"", rule->name);
	}
	assert_true(n > 25);
}

static void the_manual_page_has_every_rule_with_its_clause(void **state)
{
	AUTO(mem_free) char *path = source_path("ca/endorse-template.5");
	AUTO(buf_free) struct buf page = BUF(1 << 17);
	const struct lint_rule *rule;
	size_t n = 0;

	(void)state;
	assert_ok(file_read(path, &page));
	for (; (rule = lint_rule_at(n)) != NULL; n++) {
		AUTO(buf_free) struct buf item = BUF(512), clause = BUF(512);
		const char *at;

		buf_fmt(&item, ".It Sy %s\n", rule->name);
		buf_fmt(&clause, "\n(%s)\n.", rule->clause);
		at = strstr(buf_text(&page), buf_text(&item));
		if (at == NULL)
			fail_msg("%s: no rule \"%s\"", path, rule->name);
		if (strstr(at, buf_text(&clause)) == NULL)
			fail_msg("%s: no clause \"%s\" for \"%s\"", path, rule->clause, rule->name);
	}
	assert_int_equal(n, times(buf_text(&page), ".It Sy "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_finds_a_template_that_breaks_only_it),
		cmocka_unit_test(what_is_good_is_not_found),
		cmocka_unit_test(the_shipped_templates_have_no_finding),
		cmocka_unit_test(a_ca_without_a_key_identifier_is_found),
		cmocka_unit_test(every_rule_has_a_clause_a_sentence_and_a_fault),
		cmocka_unit_test(the_manual_page_has_every_rule_with_its_clause),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
