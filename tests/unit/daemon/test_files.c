#include "enroll/daemon/files.h"

#include "ca/base/file.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

#include <sys/stat.h>
#include <unistd.h>

static const char *const files[] = {"endorsed.yaml", "policy.yaml", "issuing.pem", "edge.secret",
	"admin.token", "ticket.key", "issuing.key", "issuing.passphrase", "ssh-host.key",
	"ssh-host.passphrase", "ssh-user.key", "ssh-user.passphrase", "templates/ak.yaml",
	"roots/root.pem", "hints/middle.pem", "former.pem", "former.key", "former.passphrase",
	"root.crl", "admin-edge.secret", "admin-ca.pem"};
static const char *const directories[] = {"templates", "roots", "hints", "elsewhere"};

/* A configuration whose files are all as they should be, in a directory of its own. */
struct site {
	char *dir;
	struct config config;
	struct config_trust trust;
	struct config_ca former;
	struct findings findings;
};

static char *in(const struct site *site, const char *name)
{
	char *path = path_join(site->dir, name);

	assert_non_null(path);
	return path;
}

static void site_free(struct site **site)
{
	const struct config *c = &(*site)->config;
	char *const paths[] = {c->edge_secret_file, c->admin_token_file, c->ticket_key_file,
		c->ca.key, c->ca.passphrase_file, c->ca.certificate, c->policy, c->templates,
		c->ssh_host_ca.key, c->ssh_host_ca.passphrase_file, c->ssh_user_ca.key,
		c->ssh_user_ca.passphrase_file, (*site)->trust.roots, (*site)->trust.intermediates,
		(*site)->former.certificate, (*site)->former.key, (*site)->former.passphrase_file,
		c->root_crl, c->admin_edge_secret_file, c->admin_ca};

	for (size_t i = 0; i < COUNT(paths); i++)
		free(paths[i]);
	scratch_remove(&(*site)->dir);
	free(*site);
	*site = NULL;
}

static struct site *site_make(void)
{
	struct site *site = calloc(1, sizeof(*site));

	assert_non_null(site);
	site->dir = scratch_make();
	for (size_t i = 0; i < COUNT(directories); i++) {
		AUTO(mem_free) char *path = in(site, directories[i]);

		assert_int_equal(0, mkdir(path, 0755));
	}
	for (size_t i = 0; i < COUNT(files); i++) {
		AUTO(mem_free) char *path = in(site, files[i]);

		assert_ok(file_replace(path, 0600, view_str("x")));
	}
	site->trust = (struct config_trust){
		.roots = in(site, "roots"), .intermediates = in(site, "hints")};
	site->former = (struct config_ca){
		in(site, "former.pem"), in(site, "former.key"), in(site, "former.passphrase"), {0}};
	site->config = (struct config){.database = "dbname=endorse",
		.edge_secret_file = in(site, "edge.secret"),
		.admin_token_file = in(site, "admin.token"),
		.admin_edge_secret_file = in(site, "admin-edge.secret"),
		.admin_ca = in(site, "admin-ca.pem"),
		.ticket_key_file = in(site, "ticket.key"),
		.ca = {in(site, "issuing.pem"), in(site, "issuing.key"),
			in(site, "issuing.passphrase"), {0}},
		.ssh_host_ca = {in(site, "ssh-host.key"), in(site, "ssh-host.passphrase"), {0}},
		.ssh_user_ca = {in(site, "ssh-user.key"), in(site, "ssh-user.passphrase"), {0}},
		.former_cas = {.item = &site->former, .n = 1},
		.root_crl = in(site, "root.crl"),
		.policy = in(site, "policy.yaml"),
		.templates = in(site, "templates"),
		.trust = {.item = &site->trust, .n = 1}};
	return site;
}

static void examine(struct site *site)
{
	AUTO(mem_free) char *path = in(site, "endorsed.yaml");

	site->findings = (struct findings){.n = 0};
	files_examine(path, &site->config, &site->findings);
}

static void assert_well(struct site *site)
{
	examine(site);
	assert_int_equal(1, site->findings.n);
	assert_int_equal(FINDING_OK, site->findings.item[0].level);
}

/* Exactly one thing is found: of this level, with these words. */
static void assert_found(struct site *site, enum finding_level level, const char *words)
{
	examine(site);
	if (site->findings.n != 1 || site->findings.item[0].level != level ||
		strstr(site->findings.item[0].text, words) == NULL)
		fail_msg("\"%s\": %zu found, the first one: %s", words, site->findings.n,
			site->findings.item[0].text);
}

static void a_directory_and_what_is_in_it_are_looked_at(void **state)
{
	static const char *const inside[] = {"templates/ak.yaml", "roots/root.pem",
		"hints/middle.pem", "templates", "roots", "hints"};
	AUTO(site_free) struct site *site = site_make();

	(void)state;
	assert_well(site);
	for (size_t i = 0; i < COUNT(inside); i++) {
		AUTO(mem_free) char *path = in(site, inside[i]);

		assert_int_equal(0, chmod(path, 0777));
		assert_found(site, FINDING_FAIL, inside[i]);
		assert_int_equal(0, chmod(path, 0755));
	}
	assert_well(site);
}

/* Whoever may write there puts another link in its place. */
static void the_directory_of_a_link_is_looked_at(void **state)
{
	AUTO(site_free) struct site *site = site_make();
	AUTO(mem_free) char *first = in(site, "elsewhere/policy");
	AUTO(mem_free) char *open = in(site, "elsewhere");

	(void)state;
	assert_int_equal(0, symlink("../policy.yaml", first));
	free(site->config.policy);
	site->config.policy = in(site, "elsewhere/policy");
	assert_well(site);
	assert_int_equal(0, chmod(open, 0777));
	assert_found(site, FINDING_FAIL, "elsewhere: others can change it");
	assert_int_equal(0, chmod(open, 0755));
}

static void each_link_on_the_way_is_followed(void **state)
{
	AUTO(site_free) struct site *site = site_make();
	AUTO(mem_free) char *last = in(site, "elsewhere/root.pem"), *open = in(site, "elsewhere");
	AUTO(mem_free) char *first = in(site, "roots/linked.pem"), *loop = in(site, "roots/loop");

	(void)state;
	assert_int_equal(0, symlink(last, first));
	assert_int_equal(0, symlink("../roots/root.pem", last));
	assert_int_equal(0, symlink("loop", loop));
	assert_well(site);
	assert_int_equal(0, chmod(open, 0777));
	assert_found(site, FINDING_FAIL, "elsewhere: others can change it");
	assert_int_equal(0, chmod(open, 0755));
}

static void the_owner_of_a_link_is_looked_at(void **state)
{
	AUTO(site_free) struct site *site = site_make();
	AUTO(mem_free) char *link = in(site, "elsewhere/policy");

	(void)state;
	assert_int_equal(0, symlink("../policy.yaml", link));
	free(site->config.policy);
	site->config.policy = in(site, "elsewhere/policy");
	assert_int_equal(0, lchown(link, 65534, 65534));
	assert_found(site, FINDING_WARN, "elsewhere/policy: belongs to uid 65534");
}

/* The edge's group may read its secret; who can change the admin CA says who is an operator. */
static void what_lets_operators_in_is_looked_at(void **state)
{
	AUTO(site_free) struct site *site = site_make();
	AUTO(mem_free) char *secret = in(site, "admin-edge.secret"), *ca = in(site, "admin-ca.pem");

	(void)state;
	assert_int_equal(0, chmod(secret, 0640));
	assert_well(site);
	assert_int_equal(0, chmod(secret, 0644));
	assert_found(site, FINDING_FAIL, "admin-edge.secret: a secret that others can reach");
	assert_int_equal(0, chmod(secret, 0600));
	assert_int_equal(0, chmod(ca, 0666));
	assert_found(site, FINDING_FAIL, "admin-ca.pem: others can change it");
}

static void the_keys_of_every_ca_are_secrets(void **state)
{
	static const char *const secrets[] = {"issuing.key", "issuing.passphrase", "former.key",
		"former.passphrase", "ssh-host.key", "ssh-host.passphrase", "ssh-user.key",
		"ssh-user.passphrase"};
	AUTO(site_free) struct site *site = site_make();

	(void)state;
	for (size_t i = 0; i < COUNT(secrets); i++) {
		AUTO(mem_free) char *path = in(site, secrets[i]);

		assert_int_equal(0, chmod(path, 0640));
		assert_found(site, FINDING_FAIL, "a secret that others can reach (mode 0640)");
		assert_int_equal(0, chmod(path, 0600));
	}
	assert_well(site);
}

/* What is handed out is no secret, and nobody else's to change. */
static void certificate_and_crl_of_other_cas_are_looked_at(void **state)
{
	static const char *const read[] = {"former.pem", "root.crl"};
	AUTO(site_free) struct site *site = site_make();

	(void)state;
	for (size_t i = 0; i < COUNT(read); i++) {
		AUTO(mem_free) char *path = in(site, read[i]);

		assert_int_equal(0, chmod(path, 0646));
		assert_found(site, FINDING_FAIL, "others can change it (mode 0646)");
		assert_int_equal(0, chmod(path, 0644));
	}
	assert_well(site);
}

/* A configuration that everybody may read is right as long as there is no password in it. */
static void a_password_that_others_can_read_is_told(void **state)
{
	static char *const with[] = {"host=db password=secret",
		"postgresql://endorse:secret@db/endorse",
		"host=db sslkey=key.pem sslpassword=secret"};
	static char *const without[] = {"host=db", "postgresql://endorse@db/endorse",
		"host=db passfile=/etc/endorse/secrets/pgpass", "host=password"};
	AUTO(site_free) struct site *site = site_make();
	AUTO(mem_free) char *path = in(site, "endorsed.yaml");

	(void)state;
	assert_int_equal(0, chmod(path, 0644));
	for (size_t i = 0; i < COUNT(without); i++) {
		site->config.database = without[i];
		assert_well(site);
	}
	for (size_t i = 0; i < COUNT(with); i++) {
		site->config.database = with[i];
		assert_int_equal(0, chmod(path, 0644));
		assert_found(site, FINDING_FAIL, "the database's password is in it");
		assert_null(strstr(site->findings.item[0].text, "secret@"));
		assert_int_equal(0, chmod(path, 0640));
		assert_well(site);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_directory_and_what_is_in_it_are_looked_at),
		cmocka_unit_test(the_directory_of_a_link_is_looked_at),
		cmocka_unit_test(each_link_on_the_way_is_followed),
		cmocka_unit_test(the_owner_of_a_link_is_looked_at),
		cmocka_unit_test(the_keys_of_every_ca_are_secrets),
		cmocka_unit_test(certificate_and_crl_of_other_cas_are_looked_at),
		cmocka_unit_test(what_lets_operators_in_is_looked_at),
		cmocka_unit_test(a_password_that_others_can_read_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
