#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "ca/base/ossl.h"
#include "ca/hierarchy.h"
#include "ca/signer/client.h"
#include "ca/ssh.h"
#include "ca/sshkey.h"
#include "ca/sshsig.h"
#include "tests/unit/ca/issuer.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

/* What `endorsectl ca init` makes, and a key to certify. */
struct site {
	char *dir, *templates;
	char *path[7]; /* in the order of struct signer_files, without the templates */
	EVP_PKEY *key;
	struct buf bits;
	struct grant grant;
};

static const char *const names[] = {"issuing.pem", "issuing.key", "issuing.passphrase",
	"ssh-host-ca.key", "ssh-host-ca.passphrase", "ssh-user-ca.key", "ssh-user-ca.passphrase"};

static void site_make(struct site *out)
{
	*out = (struct site){.dir = scratch_make(), .bits = BUF(1024)};
	out->templates = source_path("templates");
	assert_ok(hierarchy_make(out->dir, "Unit tests", KEY_TYPE_P256));
	for (size_t i = 0; i < COUNT(names); i++)
		out->path[i] = path_join(out->dir, names[i]);
	assert_ok(key_generate(KEY_TYPE_P256, &out->key));
	out->grant = (struct grant){.template = "ssh-host",
		.template_version = 1,
		.host = "web-01.example.org",
		.device_id = "0123456789abcdef0123456789abcdef",
		.trust_class = "manufacturer",
		.ssh_serial = 1};
	assert_ok(key_public(out->key, &out->bits, &out->grant.key));
}

static void site_free(struct site *site)
{
	for (size_t i = 0; i < COUNT(names); i++)
		free(site->path[i]);
	free(site->templates);
	EVP_PKEY_free(site->key);
	buf_free(&site->bits);
	scratch_remove(&site->dir);
}

static struct signer_files files_of(const struct site *site, bool with_ssh)
{
	return (struct signer_files){.certificate = site->path[0],
		.key = site->path[1],
		.passphrase = site->path[2],
		.templates = site->templates,
		.ssh_host_key = with_ssh ? site->path[3] : NULL,
		.ssh_host_passphrase = with_ssh ? site->path[4] : NULL,
		.ssh_user_key = with_ssh ? site->path[5] : NULL,
		.ssh_user_passphrase = with_ssh ? site->path[6] : NULL};
}

static struct signer *open_signer(const struct site *site, bool with_ssh)
{
	const struct signer_files files = files_of(site, with_ssh);
	AUTO(problems_free) struct problems problems;
	struct signer *signer = NULL;

	problems_init(&problems);
	if (signer_open(&files, &problems, &signer) != OK)
		fail_msg("%s", buf_text(&problems.text));
	return signer;
}

static void each_kind_is_signed_by_its_own_ca(void **state)
{
	static const struct {
		const char *template, *public;
		enum template_kind kind;
		uint32_t type;
	} rows[] = {{"ssh-host", "ssh-host-ca.pub", TEMPLATE_SSH_HOST, SSH_HOST},
		{"ssh-user", "ssh-user-ca.pub", TEMPLATE_SSH_USER, SSH_USER}};
	static const struct grant_evidence
		evidence; /* the shipped ssh-user is for certified keys */
	AUTO(site_free) struct site site;
	AUTO(signer_close) struct signer *signer = NULL;

	(void)state;
	site_make(&site);
	signer = open_signer(&site, true);
	assert_ok(signer_ready(signer));
	assert_int_equal(0, signer_ssh_ca(signer, TEMPLATE_X509).n);
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(issued_free) struct issued issued = {0};
		AUTO(buf_free) struct buf line = BUF(8192), blob = BUF(SSHKEY_MAX);
		AUTO(mem_free) char *path = path_join(site.dir, rows[i].public);
		struct ssh_certificate read;

		site.grant.template = rows[i].template;
		site.grant.evidence = rows[i].kind == TEMPLATE_SSH_USER ? &evidence : NULL;
		assert_ok(signer_judge(signer, &site.grant));
		assert_ok(signer_issue(signer, &site.grant, clock_now(), &issued));
		assert_ok(ssh_certificate_parse(buf_view(&issued.der), &read));
		assert_ok(ssh_certificate_verify(&read));
		assert_int_equal(rows[i].type, read.type);
		assert_ok(file_read(path, &line));
		assert_ok(sshkey_line(buf_view(&line), &blob));
		assert_view_equal(buf_view(&blob), read.signature_key);
		assert_view_equal(buf_view(&blob), signer_ssh_ca(signer, rows[i].kind));
	}
}

/* Another CA, none, and a bit of ours. */
static void what_another_ca_issued_is_not_ours(void **state)
{
	AUTO(site_free) struct site site, other;
	AUTO(signer_close) struct signer *signer = NULL, *others = NULL, *without = NULL;
	AUTO(issued_free) struct issued issued = {0};

	(void)state;
	site_make(&site);
	site_make(&other);
	signer = open_signer(&site, true);
	others = open_signer(&other, true);
	without = open_signer(&site, false);
	assert_ok(signer_issue(signer, &site.grant, clock_now(), &issued));
	assert_true(signer_has_issued(signer, buf_view(&issued.der)));
	assert_false(signer_has_issued(others, buf_view(&issued.der)));
	assert_false(signer_has_issued(without, buf_view(&issued.der)));
	issued.der.p[issued.der.n - 1] ^= 1;
	assert_false(signer_has_issued(signer, buf_view(&issued.der)));
}

static void without_its_ca_a_template_waits(void **state)
{
	AUTO(site_free) struct site site;
	AUTO(signer_close) struct signer *signer = NULL;
	AUTO(issued_free) struct issued issued = {0};

	(void)state;
	site_make(&site);
	signer = open_signer(&site, false);
	assert_ok(signer_ready(signer));
	assert_int_equal(0, signer_ssh_ca(signer, TEMPLATE_SSH_HOST).n);
	assert_refused(signer_judge(signer, &site.grant), ERR_INTERNAL, "ssh-ca");
	assert_refused(
		signer_issue(signer, &site.grant, clock_now(), &issued), ERR_INTERNAL, "ssh-ca");
	assert_non_null(signer_template_named(signer, "ssh-host"));
	assert_null(signer_template_named(signer, "ssh"));
}

static void what_is_wrong_with_each_ca_is_told_at_once(void **state)
{
	AUTO(site_free) struct site site;
	AUTO(problems_free) struct problems problems;
	AUTO(signer_close) struct signer *signer = NULL;
	struct signer_files files;

	(void)state;
	site_make(&site);
	files = files_of(&site, true);
	files.ssh_host_passphrase = site.path[6];
	files.ssh_user_passphrase = site.path[4];
	problems_init(&problems);
	assert_refused(signer_open(&files, &problems, &signer), ERR_INTERNAL, "ca-key");
	assert_int_equal(2, problems.n);
	assert_non_null(strstr(
		buf_text(&problems.text), "ssh-host-ca.key: the passphrase does not open it"));
	assert_non_null(strstr(
		buf_text(&problems.text), "ssh-user-ca.key: the passphrase does not open it"));
}

/* Hosts that believe one of both CAs take a list; one that it takes back is not the one to sign it. */
static void a_list_is_signed_by_a_ca_that_it_does_not_take_back(void **state)
{
	AUTO(site_free) struct site site;
	AUTO(signer_close) struct signer *signer = NULL, *without = NULL;
	struct view keys[2];

	(void)state;
	site_make(&site);
	signer = open_signer(&site, true);
	without = open_signer(&site, false);
	keys[0] = signer_ssh_ca(signer, TEMPLATE_SSH_USER);
	keys[1] = signer_ssh_ca(signer, TEMPLATE_SSH_HOST);
	for (size_t taken_back = 0; taken_back <= COUNT(keys); taken_back++) {
		const struct krl_content content = {
			.version = 7, .at = clock_now(), .keys = keys, .keys_n = taken_back};
		AUTO(buf_free) struct buf list = BUF(KRL_MAX), signature = BUF(SSHSIG_MAX);
		AUTO(buf_free) struct buf none = BUF(KRL_MAX);
		/* When it takes both back, whichever signs: there is no better one. */
		const struct view *by = &keys[taken_back == 1 ? 1 : 0];

		assert_ok(signer_krl(signer, &content, &list, &signature));
		assert_ok(sshsig_verify(buf_view(&signature), SSHSIG_KRL, buf_view(&list), by, 1));
		assert_refused(signer_krl(without, &content, &none, &none), ERR_INTERNAL, "ssh-ca");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_is_signed_by_its_own_ca),
		cmocka_unit_test(what_another_ca_issued_is_not_ours),
		cmocka_unit_test(without_its_ca_a_template_waits),
		cmocka_unit_test(what_is_wrong_with_each_ca_is_told_at_once),
		cmocka_unit_test(a_list_is_signed_by_a_ca_that_it_does_not_take_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
