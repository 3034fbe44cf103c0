/* test_agent_keys.c - one `endorse enroll` gives a host all that it needs, and `endorse renew` keeps it current. */
#include "ca/base/ossl.h"
#include "tests/flow/agent.h"
#include "tests/flow/cluster.h"
#include "tests/flow/supervise.h"
#include "tests/flow/tpmtool.h"
#include "tests/flow/verified.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOST "web-01.example.test"

static const char policy[] = "rules:\n"
			     "  - name: any\n"
			     "    hosts: [{suffix: example.test}]\n"
			     "    templates: [ak, platform-property, tls-server, ssh-host]\n"
			     "    names_per_device: 100\n";

static struct world world;
static char *dir, *pub, *tls_hook, *ssh_hook, *log_file;

static int make(void **state)
{
	AUTO(mem_free) char *etc = NULL, *key = NULL;

	(void)state;
	world_make(&(struct world_plan){.chips = 2, .services = 1, .edge = true, .policy = policy},
		&world);
	dir = text("%s/host", world.dir);
	etc = text("%s/etc", world.dir);
	key = text("%s/ssh_host_ed25519_key", etc);
	pub = text("%s.pub", key);
	log_file = text("%s/hooks", world.dir);
	tls_hook = text("tls-server=echo $ENDORSE_TEMPLATE $ENDORSE_FULLCHAIN >>%s", log_file);
	ssh_hook = text("ssh-host=test -e %s/ready && echo ssh >>%s", world.dir, log_file);
	must(mkdir(etc, 0755) == 0, "%s", etc);
	MUST_RUN("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	free(dir);
	free(pub);
	free(tls_hook);
	free(ssh_hook);
	free(log_file);
	return 0;
}

static void enroll(struct output *output)
{
	AUTO(mem_free) char *ssh = text("ssh-host=%s", pub);

	ENDORSE(output, NULL, "enroll", "--server", world.name, "--ca", world.roots, "--tcti",
		world.chips[0].tcti, "--host", HOST, "--state", dir, "--timeout", "20",
		"--template", "ak", "--template", "platform-property", "--template", "tls-server",
		"--template", ssh, "--exec", tls_hook, "--exec", ssh_hook);
}

static void renew(struct output *output, const char *ahead)
{
	ENDORSE(output, ahead, "renew", "--state", dir, "--tcti", world.chips[0].tcti, "--timeout",
		"20");
}

static char *held(const char *name)
{
	AUTO(mem_free) char *path = text("%s/%s", dir, name);

	return content(path);
}

static void assert_mode(const char *name, mode_t mode)
{
	AUTO(mem_free) char *path = name[0] == '/' ? strdup(name) : text("%s/%s", dir, name);
	struct stat st;

	if (stat(path, &st) != 0)
		fail_msg("%s is missing", path);
	assert_int_equal(mode, st.st_mode & 07777);
}

static void nothing_else_is_left(void)
{
	AUTO(mem_free) char *listed = tpmtool_must(world.chips[0].tcti, dir, "ls", NULL);

	assert_string_equal("ak.fullchain.pem\nak.pem\nak.tss2.pem\nanchors.pem\ncertificates\n"
			    "chain.pem\nenrollment\nplatform-property.fullchain.pem\n"
			    "platform-property.pem\nssh-host-ca.pub\nssh-host-cert.pub\n"
			    "ssh-host.pub\nssh-user-ca.pub\ntls-server.fullchain.pem\n"
			    "tls-server.pem\ntls-server.tss2.pem\n",
		listed);
}

/* Who has the certificates can use them: OpenSSL with the key in the TPM, ssh-keygen with the certificate. */
static void assert_usable(void)
{
	AUTO(mem_free) char *leaf = text("%s/tls-server.fullchain.pem", dir);
	AUTO(mem_free) char *chain = text("%s/chain.pem", dir);
	AUTO(mem_free) char *beside = text("%.*s-cert.pub", (int)(strlen(pub) - 4), pub);
	const char *tcti = world.chips[0].tcti;
	AUTO(mem_free)
	char *certified = tpmtool_must(
		tcti, dir, "openssl", "x509", "-in", "tls-server.pem", "-noout", "-pubkey", NULL);
	AUTO(mem_free)
	char *key = tpmtool_must(tcti, dir, "openssl", "pkey", "-provider", "tpm2", "-provider",
		"default", "-in", "tls-server.tss2.pem", "-pubout", NULL);
	AUTO(mem_free) char *ssh = tpmtool_must(tcti, dir, "ssh-keygen", "-L", "-f", beside, NULL);
	AUTO(mem_free) char *copy = content(beside), *kept = held("ssh-host-cert.pub");

	assert_string_equal(certified, key);
	assert_true(is_verified(&world, leaf, chain));
	assert_non_null(strstr(ssh, "host certificate"));
	assert_non_null(strstr(ssh, HOST));
	assert_string_equal(copy, kept);
}

static void one_enrollment_gives_all_of_it(void **state)
{
	AUTO(output_free) struct output output, again;
	AUTO(mem_free) char *ran = NULL, *wanted = NULL, *kept = NULL, *after = NULL;

	(void)state;
	enroll(&output);
	/* The command of ssh-host fails, since nobody is ready: told, and nothing is lost. */
	assert_code(&output, 1);
	assert_tells(&output.err, "ssh-host: \"test -e");
	assert_tells(&output.out, "Issued   template tls-server for tpm:p256");
	assert_tells(&output.out, "Issued   template ssh-host for /");
	nothing_else_is_left();
	assert_mode("tls-server.tss2.pem", 0600);
	assert_mode("tls-server.fullchain.pem", 0644);
	assert_mode("ssh-host-cert.pub", 0644);
	assert_mode("certificates", 0644);
	assert_usable();
	assert_nothing_left(world.chips[0].tcti);
	ran = content(log_file);
	wanted = text("tls-server %s/tls-server.fullchain.pem\n", dir);
	assert_string_equal(wanted, ran);
	assert_int_equal(4, world_rows(&world, "certificate"));

	/* What failed is run again, and then not any more; nothing else is done. */
	kept = text("%s/ready", world.dir);
	write_file(kept, 0644, view_str(""));
	enroll(&again);
	assert_code(&again, 0);
	assert_tells(&again.out, "nothing to do");
	after = content(log_file);
	assert_non_null(strstr(after, "\nssh\n"));
	assert_int_equal(4, world_rows(&world, "certificate"));
}

static void nothing_is_done_while_nothing_is_due(void **state)
{
	AUTO(mem_free) char *before = content(log_file), *leaf = held("tls-server.pem");
	AUTO(mem_free) char *after = NULL, *now = NULL;
	AUTO(output_free) struct output output;

	(void)state;
	renew(&output, NULL);
	assert_code(&output, 0);
	assert_tells(&output.out, "Nothing is due before ");
	now = held("tls-server.pem");
	after = content(log_file);
	assert_string_equal(leaf, now);
	assert_string_equal(before, after);
	assert_int_equal(4, world_rows(&world, "certificate"));
}

static void status_tells_of_each(void **state)
{
	AUTO(output_free) struct output words, json, doctor, ssh;

	(void)state;
	ENDORSE(&words, NULL, "status", "--state", dir);
	assert_code(&words, 0);
	assert_tells(&words.out, "Also     tls-server for tpm:p256, good");
	assert_tells(&words.out, "Also     ssh-host for /");
	assert_tells(&words.out, "Renewal  from ");
	ENDORSE(&json, NULL, "status", "--json", "--state", dir);
	assert_tells(&json.out, "\"template\": \"platform-property\"");
	assert_tells(&json.out, "\"kind\": \"ssh\"");
	ENDORSE(&doctor, NULL, "doctor", "--state", dir, "--tcti", world.chips[0].tcti);
	assert_tells(&doctor.out, "tls-server: until ");
	ENDORSE(&ssh, NULL, "ssh-config", "--state", dir);
	assert_code(&ssh, 0);
	assert_tells(&ssh.out, "\nHostCertificate ");
	assert_tells(&ssh.out, "# known_hosts: @cert-authority " HOST ",*.example.test ");
	assert_tells(&ssh.out, "# TrustedUserCAKeys ");
}

static void past_half_of_their_life_the_ak_alone_gets_new_ones(void **state)
{
	AUTO(mem_free) char *leaf = held("tls-server.pem"), *key = held("tls-server.tss2.pem");
	AUTO(mem_free) char *before = content(log_file);
	AUTO(mem_free) char *now = NULL, *same = NULL, *log = NULL, *after = NULL;
	AUTO(output_free) struct output output;

	(void)state;
	world_age(&world);
	renew(&output, "+20d");
	assert_code(&output, 0);
	assert_tells(&output.out, "Renewed  " HOST);
	assert_tells(&output.out, "\nFiles    ");
	now = held("tls-server.pem");
	same = held("tls-server.tss2.pem");
	after = content(log_file);
	log = world_log(&world, 0);
	assert_string_not_equal(leaf, now);
	assert_string_equal(key, same);
	assert_string_not_equal(before, after);
	assert_non_null(strstr(log, "renew.issued"));
	assert_null(strstr(strstr(log, "enroll.issued") + 1, "enroll.issued"));
	nothing_else_is_left();
	assert_usable();
	assert_nothing_left(world.chips[0].tcti);
	assert_int_equal(8, world_rows(&world, "certificate"));
}

static void new_keys_are_made_when_they_are_asked_for(void **state)
{
	AUTO(mem_free) char *key = held("tls-server.tss2.pem"), *ak = held("ak.tss2.pem");
	AUTO(mem_free) char *now = NULL, *same = NULL;
	AUTO(output_free) struct output output;

	(void)state;
	ENDORSE(&output, NULL, "renew", "--new-keys", "--state", dir, "--tcti", world.chips[0].tcti,
		"--timeout", "20");
	assert_code(&output, 0);
	now = held("tls-server.tss2.pem");
	same = held("ak.tss2.pem");
	assert_string_not_equal(key, now);
	assert_string_equal(ak, same);
	assert_usable();
}

/* Asked for with no more than what is linked to it, the AK's own certificate comes too: ak.pem is no other. */
static void a_host_key_may_be_in_the_tpm(void **state)
{
	AUTO(mem_free) char *where = text("%s/sealed", world.dir);
	AUTO(output_free) struct output output, ssh, less;

	(void)state;
	ENDORSE(&output, NULL, "enroll", "--server", world.name, "--ca", world.roots, "--tcti",
		world.chips[1].tcti, "--host", "sealed.example.test", "--state", where, "--timeout",
		"20", "--template", "platform-property", "--template", "ssh-host=tpm");
	assert_code(&output, 0);
	assert_tells(&output.out, "Issued   template ssh-host for tpm:p256 (OpenSSH, for a host)");
	assert_tells(&output.out, "Issued   template ak for ak");
	assert_tells(&output.out, "/sealed/platform-property.fullchain.pem   platform-property");
	ENDORSE(&ssh, NULL, "ssh-config", "--state", where);
	assert_code(&ssh, 0);
	assert_tells(&ssh.out, "HostKeyAgent");
	assert_tells(&ssh.out, "/sealed/ssh-host.pub\n");
	/* Who asks for less is told what will end. */
	ENDORSE(&less, NULL, "enroll", "--server", world.name, "--tcti", world.chips[1].tcti,
		"--host", "sealed.example.test", "--state", where, "--template", "tls-server");
	assert_code(&less, 0);
	assert_tells(&less.err, "/sealed: ssh-host was not asked for again: its files stay");
	assert_nothing_left(world.chips[1].tcti);
}

static void enroll_with(const char *ak, const char *hierarchy, const char *handle, const char *key,
	const char *state)
{
	AUTO(mem_free) char *host = text("%s.example.test", strrchr(state, '/') + 1);
	AUTO(mem_free) char *template = text("tls-server=%s", key);
	AUTO(output_free) struct output output;

	ENDORSE(&output, NULL, "enroll", "--server", world.name, "--ca", world.roots, "--tcti",
		world.chips[0].tcti, "--host", host, "--state", state, "--timeout", "20", "--ak",
		ak, "--hierarchy", hierarchy, "--template", template,
		handle == NULL ? NULL : "--ak-handle", handle);
	assert_code(&output, 0);
}

/* Asked too early, the service gives the same again: the command does not run. */
static void aks_of_all_kinds_and_places_renew(void **state)
{
	static const struct {
		const char *ak, *hierarchy, *handle, *key;
	} rows[] = {
		{"rsa2048-pss", "ek", NULL, "tpm:p384"},
		{"p384", "endorsement", NULL, "tpm:rsa2048"},
		{"rsa2048", "owner", "0x81010a05", "tpm"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(mem_free) char *where = text("%s/renews-%zu", world.dir, i);
		AUTO(mem_free) char *leaf = text("%s/tls-server.pem", where);
		AUTO(mem_free) char *before = NULL, *after = NULL;
		AUTO(output_free) struct output output;

		enroll_with(rows[i].ak, rows[i].hierarchy, rows[i].handle, rows[i].key, where);
		before = content(leaf);
		ENDORSE(&output, NULL, "renew", "--force", "--state", where, "--tcti",
			world.chips[0].tcti, "--timeout", "20", "--exec", "tls-server=exit 1");
		assert_code(&output, 0);
		assert_tells(&output.out, "Renewed  renews-");
		after = content(leaf);
		assert_string_equal(before, after);
		assert_nothing_left(world.chips[0].tcti);
	}
}

/* Nobody has it now, and the policy would let this machine take it. */
static void a_timer_does_not_take_back_a_name_that_the_operator_took(void **state)
{
	static const char *const later[] = {"+20d", "+40d", NULL}; /* in time, expired, damaged */
	AUTO(mem_free) char *leaf = text("%s/tls-server.fullchain.pem", dir);
	AUTO(mem_free) char *away = text("%s/away.pem", world.dir);
	AUTO(mem_free) char *url = text("http://127.0.0.1:%d", world.services[0].admin_port);
	AUTO(mem_free) char *token = text("%s/admin.token", world.dir);
	AUTO(output_free) struct output unbound;

	(void)state;
	world_run(&world, &unbound, "endorsectl", "host", "unbind", HOST, "--why", "stolen",
		"--admin", url, "--token-file", token, NULL);
	assert_code(&unbound, 0);
	for (size_t i = 0; i < COUNT(later); i++) {
		AUTO(output_free) struct output output;

		if (later[i] == NULL)
			assert_int_equal(0, rename(leaf, away));
		renew(&output, later[i]);
		assert_code(&output, 5);
		assert_tells(&output.err, "renewal-name-not-bound");
		assert_tells(&output.err, "endorse enroll, by hand");
		assert_int_equal(0, sql_number(world.conninfo, "SELECT count(*) FROM host "
							       "WHERE name = '" HOST "'"));
	}
	assert_int_equal(0, rename(away, leaf));
}

/* The operator gave the name to another machine. */
static void without_its_name_it_is_refused_and_keeps_what_it_has(void **state)
{
	AUTO(mem_free) char *leaf = held("tls-server.pem"), *other = text("%s/other", world.dir);
	AUTO(mem_free) char *now = NULL;
	AUTO(output_free) struct output taken, output;

	(void)state;
	ENDORSE(&taken, NULL, "enroll", "--server", world.name, "--ca", world.roots, "--tcti",
		world.chips[1].tcti, "--host", HOST, "--state", other, "--timeout", "20");
	assert_code(&taken, 0);
	renew(&output, "+20d");
	assert_code(&output, 5);
	assert_tells(&output.err, "refused to renew the certificates of " HOST);
	assert_tells(&output.err, "renewal-name-not-bound");
	now = held("tls-server.pem");
	assert_string_equal(leaf, now);
	nothing_else_is_left();
	assert_usable();
}

/* Nothing is due; but files outlive a TPM that is cleared. */
static void a_cleared_tpm_is_noticed_by_the_timer(void **state)
{
	AUTO(mem_free) char *other = text("%s/other", world.dir);
	AUTO(mem_free) char *before = text("%s/ak.tss2.pem", other), *old = content(before);
	AUTO(mem_free) char *now = NULL;
	AUTO(output_free) struct output output;

	(void)state;
	free(tpmtool_must(world.chips[1].tcti, other, "tpm2_clear", NULL));
	ENDORSE(&output, NULL, "renew", "--state", other, "--tcti", world.chips[1].tcti,
		"--timeout", "20");
	assert_code(&output, 0);
	assert_tells(&output.err, "does not have the AK any more");
	now = content(before);
	assert_string_not_equal(old, now);
}

static int run_all(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_enrollment_gives_all_of_it),
		cmocka_unit_test(nothing_is_done_while_nothing_is_due),
		cmocka_unit_test(status_tells_of_each),
		cmocka_unit_test(past_half_of_their_life_the_ak_alone_gets_new_ones),
		cmocka_unit_test(new_keys_are_made_when_they_are_asked_for),
		cmocka_unit_test(a_host_key_may_be_in_the_tpm),
		cmocka_unit_test(aks_of_all_kinds_and_places_renew),
		cmocka_unit_test(a_timer_does_not_take_back_a_name_that_the_operator_took),
		cmocka_unit_test(without_its_name_it_is_refused_and_keeps_what_it_has),
		cmocka_unit_test(a_cleared_tpm_is_noticed_by_the_timer),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}

int main(void)
{
	return supervise(run_all);
}
