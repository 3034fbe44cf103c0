#include "enroll/daemon/parts.h"

#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "ca/extension.h"
#include "ca/hierarchy.h"
#include "ca/hierarchy_crl.h"
#include "ca/key.h"
#include "ca/validity.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

#include <openssl/pem.h>

/* A directory with all that a configuration names, and what the test adds to the configuration. */
struct site {
	char *dir, *config;
	struct problems problems;
};

static void put(const struct site *site, const char *name, const char *text)
{
	AUTO(mem_free) char *path = path_join(site->dir, name);

	assert_ok(file_replace(path, 0600, view_str(text)));
}

static const char without_ssh[] = "";
static const char hosts[] = "ssh_host_ca: {key: ca/ssh-host-ca.key, passphrase_file: "
			    "ca/ssh-host-ca.passphrase}\n";
static const char both[] = "ssh_host_ca: {key: ca/ssh-host-ca.key, passphrase_file: "
			   "ca/ssh-host-ca.passphrase}\n"
			   "ssh_user_ca: {key: ca/ssh-user-ca.key, passphrase_file: "
			   "ca/ssh-user-ca.passphrase}\n";

static void write_config(struct site *site, const char *more)
{
	AUTO(buf_free) struct buf yaml = BUF(8192);

	buf_fmt(&yaml,
		"service: https://ca.example.org\n"
		"edge_secret_file: secret\nadmin_token_file: secret\nticket_key_file: secret\n"
		"database: dbname=none\n"
		"ca: {certificate: ca/issuing.pem, key: ca/issuing.key, passphrase_file: "
		"ca/issuing.passphrase}\n"
		"templates: %s/templates\npolicy: policy.yaml\nvendors: %s/policy/vendors\n%s",
		ENDORSE_SOURCE_DIR, ENDORSE_SOURCE_DIR, more);
	put(site, "endorsed.yaml", buf_text(&yaml));
}

static void site_make(struct site *out)
{
	AUTO(mem_free) char *ca = NULL;

	out->dir = scratch_make();
	out->config = path_join(out->dir, "endorsed.yaml");
	ca = path_join(out->dir, "ca");
	assert_ok(hierarchy_make(ca, "Unit tests", KEY_TYPE_P256));
	put(out, "secret", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n");
	problems_init(&out->problems);
}

static void site_free(struct site *site)
{
	problems_free(&site->problems);
	free(site->config);
	scratch_remove(&site->dir);
}

/* Reads the configuration and makes the parts of it, as a start does. */
static enum err start(struct site *site)
{
	AUTO(config_free) struct config config = {0};
	AUTO(parts_free) struct parts parts = {0};

	problems_free(&site->problems);
	problems_init(&site->problems);
	TRY(config_load(site->config, &site->problems, &config));
	return parts_make(site->config, &config, &site->problems, &parts);
}

static void assert_starts(struct site *site)
{
	if (start(site) != OK)
		fail_msg("%s", buf_text(&site->problems.text));
}

/* One problem, told with the end of this line. */
static void assert_problem(struct site *site, const char *wanted)
{
	assert_true(start(site) != OK);
	if (site->problems.n != 1 || strstr(buf_text(&site->problems.text), wanted) == NULL)
		fail_msg("wanted \"%s\": %s", wanted, buf_text(&site->problems.text));
}

static const char policy[] = "rules:\n"
			     "  - name: fleet\n"
			     "    hosts: [{suffix: example.org}]\n"
			     "    templates: [ak, ssh-host]\n"
			     "  - name: jobs\n"
			     "    hosts: [{suffix: example.test}]\n"
			     "    templates: [ssh-user]\n";

static void a_rule_gives_nothing_that_no_ca_signs(void **state)
{
	AUTO(site_free) struct site site;

	(void)state;
	site_make(&site);
	put(&site, "policy.yaml", policy);
	write_config(&site, both);
	assert_starts(&site);
	write_config(&site, hosts);
	assert_problem(&site, "policy.yaml:5:5: the rule \"jobs\" gives \"ssh-user\", and ");
	assert_non_null(
		strstr(buf_text(&site.problems.text), "endorsed.yaml has no ssh_user_ca to sign "
						      "it: make one with endorsectl ca init-ssh, "
						      "or take the template out of the rule\n"));
	write_config(&site, without_ssh);
	assert_true(start(&site) != OK);
	assert_int_equal(2, site.problems.n);
	assert_non_null(strstr(buf_text(&site.problems.text),
		"policy.yaml:2:5: the rule \"fleet\" gives \"ssh-host\""));
}

/* An operator's own CA, whose certificate names no organization. */
static void put_unnamed_ca(const struct site *site)
{
	AUTO(mem_free) char *key_path = path_join(site->dir, "ca/issuing.key");
	AUTO(mem_free) char *passphrase = path_join(site->dir, "ca/issuing.passphrase");
	AUTO(pkey_free) EVP_PKEY *key = EVP_EC_gen("P-256");
	AUTO(x509_free) X509 *cert = X509_new();
	AUTO(bio_free) BIO *bio = BIO_new(BIO_s_mem());
	const int usages[] = {5, 6};
	char pem[4096] = "";

	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
		(const uint8_t *)"A CA", -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	assert_ok(validity_set(cert, clock_now() - 60, clock_now() + (int64_t)3650 * 86400));
	assert_int_equal(1, X509_set_pubkey(cert, key));
	assert_ok(extension_basic_constraints(cert, true, 0));
	assert_ok(extension_key_usage(cert, usages, COUNT(usages)));
	assert_ok(extension_subject_key_identifier(cert));
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	assert_int_equal(1, PEM_write_bio_X509(bio, cert));
	assert_true(BIO_read(bio, pem, sizeof(pem) - 1) > 0);
	put(site, "ca/issuing.pem", pem);
	assert_ok(key_save(key, key_path, passphrase));
}

static void a_rule_gives_nothing_that_states_an_organization_when_nobody_names_one(void **state)
{
	AUTO(site_free) struct site site;

	(void)state;
	site_make(&site);
	put(&site, "policy.yaml",
		"rules:\n  - name: fleet\n    hosts: [{suffix: example.org}]\n    templates: "
		"[ak, ldevid]\n");
	write_config(&site, without_ssh);
	assert_starts(&site);
	put_unnamed_ca(&site);
	assert_problem(&site, "policy.yaml:2:5: the rule \"fleet\" gives \"ldevid\", which states "
			      "${organization}, and neither ");
	write_config(&site, "organization: Example\n");
	assert_starts(&site);
}

static void a_template_that_no_rule_gives_needs_no_ca(void **state)
{
	AUTO(site_free) struct site site;

	(void)state;
	site_make(&site);
	put(&site, "policy.yaml",
		"rules:\n  - name: fleet\n    hosts: [{suffix: example.org}]\n    templates: "
		"[ak]\n");
	write_config(&site, without_ssh);
	assert_starts(&site);
}

static const struct {
	const char *yaml, *problem;
} rows[] = {
	{"ssh_host_ca: {key: ca/ssh-host-ca.key}\n", "ssh_host_ca has no passphrase_file"},
	{"ssh_host_ca: {passphrase_file: ca/ssh-host-ca.passphrase}\n", "ssh_host_ca has no key"},
	{"ssh_user_ca: {key: ca/ssh-user-ca.key}\n", "ssh_user_ca has no passphrase_file"},
	{"ssh_user_ca: {}\n", "ssh_user_ca has no key"},
	{"ssh_host_ca: {key: ca/issuing.pem, passphrase_file: secret}\n", "issuing.pem: "},
	{"ssh_host_ca: {key: ca/ssh-host-ca.key, passphrase_file: ca/ssh-user-ca.passphrase}\n",
		"ssh-host-ca.key: the passphrase does not open it"},
	{"ssh_host_ca: {certificate: ca/issuing.pem, key: a, passphrase_file: b}\n",
		"unknown key \"certificate\""},
};

static void a_ca_is_whole_or_is_not_there(void **state)
{
	AUTO(site_free) struct site site;

	(void)state;
	site_make(&site);
	put(&site, "policy.yaml",
		"rules:\n  - name: fleet\n    hosts: [{suffix: example.org}]\n    templates: "
		"[ak]\n");
	for (size_t i = 0; i < COUNT(rows); i++) {
		write_config(&site, rows[i].yaml);
		assert_problem(&site, rows[i].problem);
	}
}

#define FORMER(certificate, key)                                                                   \
	"former_cas: [{certificate: ca/" certificate ".pem, key: ca/" key                          \
	".key, passphrase_file: ca/" key ".passphrase}]\n"

static const struct {
	const char *yaml, *problem; /* NULL: nothing is wrong */
} other_cas[] = {
	{FORMER("edge-ca", "edge-ca"), NULL},
	{"root_crl: root.crl\n", NULL},
	{FORMER("issuing", "issuing"), "issuing.pem has the key of the issuing CA or of another"},
	{FORMER("issuing", "edge-ca"), "edge-ca.key is not the key of "},
	{FORMER("edge-ca", "ssh-host-ca"), "ssh-host-ca.key is not the key of "},
	{FORMER("none", "edge-ca"), "none.pem: "},
	{"former_cas: [{certificate: ca/edge-ca.pem, key: ca/edge-ca.key}]\n",
		"\"passphrase_file\" is missing"},
	{"former_cas: []\n", "1 to 8"},
	{"root_crl: none.crl\n", "none.crl: "},
	{"root_crl: ca/root.pem\n", "root.pem: no CRL"},
};

static void former_cas_and_the_crl_of_the_root_are_good_or_are_told(void **state)
{
	AUTO(site_free) struct site site;
	AUTO(mem_free) char *ca = NULL, *crl = NULL;
	struct hierarchy_crl made;

	(void)state;
	site_make(&site);
	ca = path_join(site.dir, "ca");
	crl = path_join(site.dir, "root.crl");
	assert_ok(hierarchy_crl_make(ca, NULL, REVOKED_UNSPECIFIED, 1, crl, &made));
	put(&site, "policy.yaml",
		"rules:\n  - name: fleet\n    hosts: [{suffix: example.org}]\n    templates: "
		"[ak]\n");
	for (size_t i = 0; i < COUNT(other_cas); i++) {
		write_config(&site, other_cas[i].yaml);
		if (other_cas[i].problem == NULL)
			assert_starts(&site);
		else
			assert_problem(&site, other_cas[i].problem);
	}
}

static const char any[] = "rules:\n"
			  "  - name: fleet\n"
			  "    hosts: [{suffix: example.org}]\n"
			  "    templates: [ak]\n";

static void operators_have_a_ca_and_their_edge_a_secret_of_its_own(void **state)
{
	AUTO(site_free) struct site site;

	(void)state;
	site_make(&site);
	put(&site, "policy.yaml", any);
	put(&site, "other", "f0e1020304050607080900000000000000000000000000000000000000000000\n");
	write_config(&site, "admin_ca: ca/admin-ca.pem\nadmin_edge_secret_file: other\n");
	assert_starts(&site);
	write_config(&site, "admin_ca: ca/issuing.pem\nadmin_edge_secret_file: other\n");
	assert_problem(&site, "admin_ca: it is the CA of the devices too");
	write_config(&site, "admin_ca: policy.yaml\nadmin_edge_secret_file: other\n");
	assert_problem(&site, "admin_ca: ");
	write_config(&site, "admin_ca: ca/admin-ca.pem\nadmin_edge_secret_file: secret\n");
	assert_problem(&site, "the same secret is used for something else");
	write_config(&site, "admin_ca: ca/admin-ca.pem\nadmin_edge_secret_file: nowhere\n");
	assert_problem(&site, "admin_edge_secret_file: ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_gives_nothing_that_no_ca_signs),
		cmocka_unit_test(
			a_rule_gives_nothing_that_states_an_organization_when_nobody_names_one),
		cmocka_unit_test(a_template_that_no_rule_gives_needs_no_ca),
		cmocka_unit_test(a_ca_is_whole_or_is_not_there),
		cmocka_unit_test(former_cas_and_the_crl_of_the_root_are_good_or_are_told),
		cmocka_unit_test(operators_have_a_ca_and_their_edge_a_secret_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
