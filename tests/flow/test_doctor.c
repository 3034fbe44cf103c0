/* test_doctor.c - each thing that can be wrong with a service, alone, and what is said of it. */
#include "tests/flow/cluster.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include "ca/key.h"

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char policy[] = "rules:\n"
			     "  - name: any\n"
			     "    hosts: [{glob: \"web-*.example.test\"}]\n"
			     "    ek_kinds: [rsa2048]\n"
			     "    templates: [ak]\n";

static struct world world;
static char *admin, *token_file, *templates;

static int make(void **state)
{
	AUTO(mem_free) char *shipped = world_source("templates/ak.yaml");

	(void)state;
	templates = text("%s/templates", supervise_dir());
	must(mkdir(templates, 0755) == 0, "mkdir");
	MUST_RUN("cp", shipped, templates);
	world_make(&(struct world_plan){.edge = true, .policy = policy, .templates = templates},
		&world);
	admin = text("http://127.0.0.1:%d", world.services[0].admin_port);
	/* The admin's own copy, for the tool takes none that is open, as one of the tests makes it. */
	token_file = text("%s/admins.token", world.dir);
	write_file(token_file, 0600, view_str(world.token));
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	free(admin);
	free(token_file);
	free(templates);
	world_free(&world);
	return 0;
}

#define DOCTOR(output, ...)                                                                        \
	world_run(&world, output, "endorsectl", "doctor", "--admin", admin, "--token-file",        \
		token_file, "--config", world.services[0].config, ##__VA_ARGS__, NULL)

static size_t count(const char *in, const char *what)
{
	size_t n = 0;

	for (; (in = strstr(in, what)) != NULL; in++)
		n++;
	return n;
}

/* One finding of this kind and no other that is not ok; it has all of these words. */
static void finds_only(const struct output *output, const char *mark, const char *words)
{
	const char *out = buf_text(&output->out);
	AUTO(mem_free) char *begin = text("%s  ", mark);
	const char *line = strstr(out, begin);

	if (count(out, "FAIL  ") + count(out, "warn  ") != 1 || line == NULL ||
		memmem(line, strcspn(line, "\n"), words, strlen(words)) == NULL)
		fail_msg("wanted only %s \"%s\" in:\n%s%s", mark, words, out,
			buf_text(&output->err));
	assert_int_equal(output->code, strcmp(mark, "FAIL") == 0 ? 1 : 0);
}

static void a_service_that_is_well_is_said_to_be(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	DOCTOR(&output, "--ca", world.roots);
	if (output.code != 0 || strstr(buf_text(&output.out), "\nall is well\n") == NULL)
		fail_msg("%d\n%s%s", output.code, buf_text(&output.out), buf_text(&output.err));
	assert_true(count(buf_text(&output.out), "ok    ") > 10);
}

static void an_edge_that_was_not_looked_at_is_a_warning(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	DOCTOR(&output);
	finds_only(&output, "warn", "not looked at: name the root");
}

static void a_file_that_others_can_reach_is_told_by_name(void **state)
{
	const struct {
		char *path;
		mode_t wrong, right;
		const char *words;
	} rows[] = {
		{text("%s/ticket.key", world.dir), 0644, 0600,
			"ticket.key: a secret that others can"},
		{text("%s/ticket.key", world.dir), 0640, 0600, "chmod 0600 it"},
		{text("%s/admin.token", world.dir), 0604, 0600, "a secret that others can"},
		{text("%s/edge.secret", world.dir), 0606, 0600, "chmod 0640 it"},
		{text("%s/issuing.key", world.ca), 0604, 0600, "issuing.key: a secret"},
		{text("%s/issuing.passphrase", world.ca), 0604, 0600,
			"issuing.passphrase: a secret"},
		{text("%s/policy.yaml", world.dir), 0666, 0644,
			"policy.yaml: others can change it"},
		{text("%s", world.services[0].config), 0646, 0644, "others can change it"},
		{text("%s/issuing.pem", world.ca), 0646, 0644, "issuing.pem: others can change it"},
		{text("%s/roots", world.maker.dir), 0777, 0755, "roots: others can change it"},
		{text("%s", world.ca), 0707, 0700, "ca: others can change it"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(output_free) struct output output;
		AUTO(mem_free) char *path = rows[i].path;

		assert_int_equal(chmod(path, rows[i].wrong), 0);
		DOCTOR(&output, "--ca", world.roots);
		assert_int_equal(chmod(path, rows[i].right), 0);
		finds_only(&output, "FAIL", rows[i].words);
	}
}

static void a_secret_that_is_gone_is_told_while_the_service_runs_on(void **state)
{
	AUTO(mem_free) char *path = text("%s/ticket.key", world.dir);
	AUTO(mem_free) char *away = text("%s/ticket.away", world.dir);
	AUTO(output_free) struct output output;

	(void)state;
	assert_int_equal(rename(path, away), 0);
	DOCTOR(&output, "--ca", world.roots);
	finds_only(&output, "FAIL", "No such file or directory: this server does not start again");
	assert_int_equal(rename(away, path), 0);
}

static void a_database_that_is_away_is_told(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	cluster_stop();
	DOCTOR(&output, "--ca", world.roots);
	cluster_start();
	finds_only(&output, "FAIL", "no device can enroll: cannot connect");
}

static void a_database_that_is_read_only_is_told(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	free(sql_text(
		world.conninfo, "ALTER DATABASE world_0 SET default_transaction_read_only = on"));
	DOCTOR(&output, "--ca", world.roots);
	free(sql_text(world.conninfo, "BEGIN READ WRITE; ALTER DATABASE world_0 RESET "
				      "default_transaction_read_only; COMMIT"));
	finds_only(&output, "FAIL", "the database is read-only");
}

static void a_schema_of_a_later_version_is_told(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	free(sql_text(world.conninfo,
		"INSERT INTO schema_version (number, name, sha256) VALUES (9999, 'later', "
		"sha256('later'))"));
	DOCTOR(&output, "--ca", world.roots);
	free(sql_text(world.conninfo, "DELETE FROM schema_version WHERE number = 9999"));
	finds_only(&output, "FAIL", "the database has schema 9999");
}

static bool passes_on(void *arg)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;

	(void)arg;
	httpc_get(&world.front, "/healthz", &answer);
	return answer.status == 200;
}

/* The edge takes a moment to see that the service is back. */
static void restart(void)
{
	world_service_stop(&world, 0, SIGTERM);
	world_service_start(&world, 0);
	assert_true(wait_until(passes_on, NULL, 10000));
}

static void a_rule_for_any_kind_of_ek_is_a_warning(void **state)
{
	AUTO(mem_free) char *path = text("%s/policy.yaml", world.dir);
	AUTO(output_free) struct output output;

	(void)state;
	write_file(path, 0644,
		view_str("rules: [{name: a, hosts: [{exact: a.b}], templates: [ak]}]\n"));
	restart();
	DOCTOR(&output, "--ca", world.roots);
	write_file(path, 0644, view_str(policy));
	restart();
	finds_only(&output, "warn", "1 rules take any kind of EK");
}

/* A CA of this directory, with which a test makes certificates of its own. */
struct ca {
	X509 *cert;
	EVP_PKEY *key;
};

static X509 *read_certificate(const char *path)
{
	FILE *file = fopen(path, "r");
	X509 *cert = file == NULL ? NULL : PEM_read_X509(file, NULL, NULL, NULL);

	must(cert != NULL, "%s", path);
	fclose(file);
	return cert;
}

static struct ca ca_open(const char *name)
{
	AUTO(mem_free) char *pem = text("%s/%s.pem", world.ca, name);
	AUTO(mem_free) char *key = text("%s/%s.key", world.ca, name);
	AUTO(mem_free) char *passphrase = text("%s/%s.passphrase", world.ca, name);
	struct ca ca = {.cert = read_certificate(pem)};

	must(key_load(key, passphrase, &ca.key) == OK, "%s", why()->sentence);
	return ca;
}

static void ca_close(struct ca *ca)
{
	X509_free(ca->cert);
	EVP_PKEY_free(ca->key);
}

static void extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *extension;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(extension != NULL && X509_add_ext(cert, extension, -1) == 1, "%s", value);
	X509_EXTENSION_free(extension);
}

/* `names` NULL: a CA's, self-signed; else a server's by `ca`. Ends `seconds` from now. */
static X509 *certify(struct ca *ca, EVP_PKEY *key, const char *names, long life, long seconds)
{
	X509 *cert = X509_new(), *issuer = names == NULL ? cert : ca->cert;
	X509_NAME *subject = X509_get_subject_name(cert);

	must(cert != NULL, "X509_new");
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 4711);
	X509_NAME_add_entry_by_txt(
		subject, "CN", MBSTRING_ASC, (const uint8_t *)"short", -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(issuer));
	X509_set_pubkey(cert, key);
	X509_gmtime_adj(X509_getm_notBefore(cert), seconds - life);
	X509_gmtime_adj(X509_getm_notAfter(cert), seconds);
	extend(cert, issuer, NID_subject_key_identifier, "hash");
	extend(cert, issuer, NID_authority_key_identifier, "keyid:always");
	extend(cert, issuer, NID_basic_constraints,
		names == NULL ? "critical,CA:TRUE" : "CA:FALSE");
	if (names == NULL)
		extend(cert, issuer, NID_key_usage, "critical,keyCertSign");
	else
		extend(cert, issuer, NID_subject_alt_name, names);
	must(X509_sign(cert, ca->key, EVP_sha256()) > 0, "X509_sign");
	return cert;
}

static void write_pem(const char *path, X509 *cert, X509 *above, EVP_PKEY *key)
{
	FILE *file = fopen(path, "w");

	must(file != NULL && PEM_write_X509(file, cert) == 1, "%s", path);
	must(above == NULL || PEM_write_X509(file, above) == 1, "%s", path);
	must(key == NULL || PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1, "%s",
		path);
	fclose(file);
}

/* The shipped template with another lifetime, and an issuing CA that ends in so many seconds. */
static void start_with(const char *lifetime, long life, long seconds)
{
	AUTO(mem_free) char *shipped = world_source("templates/ak.yaml");
	AUTO(mem_free) char *path = text("%s/ak.yaml", templates);
	AUTO(mem_free) char *pem = text("%s/issuing.pem", world.ca);
	AUTO(mem_free) char *script = text("s/^lifetime: .*/lifetime: %s/", lifetime);
	AUTO(output_free) struct output sed;
	struct ca ca = ca_open("issuing");
	X509 *cert = certify(&ca, ca.key, NULL, life, seconds);

	process_run(&(struct program){.argv = (const char *const[]){"sed", script, shipped, NULL}},
		&sed);
	write_file(path, 0644, buf_view(&sed.out));
	write_pem(pem, cert, NULL, NULL);
	X509_free(cert);
	ca_close(&ca);
	restart();
}

static void keep_issuing(const char *from, const char *to)
{
	AUTO(mem_free) char *a = text("%s/%s", world.ca, from);
	AUTO(mem_free) char *b = text("%s/%s", world.ca, to);

	assert_int_equal(rename(a, b), 0);
}

static void copy_issuing_away(void)
{
	AUTO(mem_free) char *a = text("%s/issuing.pem", world.ca);
	AUTO(mem_free) char *b = text("%s/issuing.kept", world.ca);

	MUST_RUN("cp", a, b);
}

static void start_as_before(void)
{
	AUTO(mem_free) char *shipped = world_source("templates/ak.yaml");

	MUST_RUN("cp", shipped, templates);
	keep_issuing("issuing.kept", "issuing.pem");
	restart();
}

#define DAYS(n) ((n)*86400L)

static void a_ca_that_ends_is_told_in_time(void **state)
{
	static const struct {
		const char *lifetime;
		long life, seconds;
		const char *words;
	} rows[] = {
		{"90d", DAYS(100), DAYS(80) + 60,
			"\"ak\" gives 90 days and the issuing CA has 80 left"},
		{"1d", DAYS(30), DAYS(20) + 60, "the issuing CA's certificate ends in 20 days"},
		{"1d", DAYS(3650), DAYS(300), "the issuing CA's certificate ends in 2"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(output_free) struct output output;

		copy_issuing_away();
		start_with(rows[i].lifetime, rows[i].life, rows[i].seconds);
		DOCTOR(&output, "--ca", world.roots);
		start_as_before();
		finds_only(&output, "warn", rows[i].words);
	}
}

static bool is_not_ready(void *arg)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;

	(void)arg;
	httpc_get(&world.services[0].peer, "/readyz", &answer);
	return answer.status == 503;
}

static void a_ca_that_has_ended_is_a_failure(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	copy_issuing_away();
	start_with("1d", DAYS(30), 6);
	assert_true(wait_until(is_not_ready, NULL, 15000));
	DOCTOR(&output, "--ca", world.roots);
	start_as_before();
	finds_only(&output, "FAIL", "the issuing CA's certificate ended at");
}

static void a_root_that_ends_soon_is_a_warning(void **state)
{
	AUTO(mem_free) char *path = text("%s/roots/other.pem", world.maker.dir);
	struct ca ca = ca_open("issuing");
	X509 *cert = certify(&ca, ca.key, NULL, DAYS(100), DAYS(3));
	AUTO(output_free) struct output output;

	(void)state;
	write_pem(path, cert, NULL, NULL);
	restart();
	DOCTOR(&output, "--ca", world.roots);
	assert_int_equal(unlink(path), 0);
	restart();
	finds_only(&output, "warn", "the root /CN=short ends at");
	X509_free(cert);
	ca_close(&ca);
}

/* The edge's PEM file with a certificate of this kind. */
static void write_edge(const char *path, const char *names, long seconds)
{
	struct ca ca = ca_open("edge-ca");
	EVP_PKEY *key = NULL;
	X509 *cert;

	must(key_generate(&key) == OK, "key_generate");
	cert = certify(&ca, key, names, DAYS(397), seconds);
	write_pem(path, cert, ca.cert, key);
	X509_free(cert);
	EVP_PKEY_free(key);
	ca_close(&ca);
}

static void an_edge_certificate_that_ends_soon_is_a_warning(void **state)
{
	AUTO(mem_free) char *pem = text("%s/edge.pem", world.dir);
	AUTO(mem_free) char *kept = text("%s/edge.kept", world.dir);
	AUTO(output_free) struct output output;

	(void)state;
	assert_int_equal(rename(pem, kept), 0);
	write_edge(pem, "DNS:localhost", DAYS(9) + 60);
	world_edge_stop(&world);
	world_edge_start(&world);
	DOCTOR(&output, "--ca", world.roots);
	assert_int_equal(rename(kept, pem), 0);
	world_edge_stop(&world);
	world_edge_start(&world);
	finds_only(&output, "warn", "the edge's certificate ends in 9 days");
}

static void an_edge_that_is_not_there_is_told(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	world_edge_stop(&world);
	DOCTOR(&output, "--ca", world.roots);
	world_edge_start(&world);
	finds_only(&output, "FAIL", "devices do not reach it");
}

static void an_edge_with_another_secret_is_told(void **state)
{
	AUTO(mem_free) char *sent = world.secret;
	AUTO(output_free) struct output output;

	(void)state;
	world_edge_stop(&world);
	world.secret = text("%064d", 7);
	/* /healthz wants no secret, so the edge is up; what devices ask would be refused. */
	world_edge_start(&world);
	DOCTOR(&output, "--ca", world.roots);
	world_edge_stop(&world);
	free(world.secret);
	world.secret = MOVE(sent);
	world_edge_start(&world);
	finds_only(&output, "FAIL", "the edge's secret is another");
}

/* A TLS server that is no edge: it answers whatever it is asked. */
static pid_t serve(const char *pem, int port)
{
	AUTO(mem_free) char *at = text("127.0.0.1:%d", port);
	AUTO(mem_free) char *log = text("%s/s_server.log", world.dir);

	return process_start(&(struct program){.log = log,
		.argv = (const char *const[]){"openssl", "s_server", "-accept", at, "-cert", pem,
			"-key", pem, "-cert_chain", pem, "-www", NULL}});
}

static bool answers(void *arg)
{
	const struct httpc_peer peer = {.port = *(const int *)arg};
	struct httpc httpc;
	bool is_open = httpc_open(&httpc, &peer, 1000);

	if (is_open)
		httpc_close(&httpc);
	return is_open;
}

static void look_at_server(
	const char *names, long seconds, const char *roots, struct output *output)
{
	AUTO(mem_free) char *pem = text("%s/server.pem", world.dir);
	int port = free_port();
	AUTO(mem_free) char *url = text("https://localhost:%d", port);
	pid_t pid;

	write_edge(pem, names, seconds);
	pid = serve(pem, port);
	assert_true(wait_until(answers, &port, 10000));
	DOCTOR(output, "--ca", roots, "--edge", url);
	process_stop(&pid, SIGKILL);
}

static void an_edge_certificate_that_no_device_would_take_is_told(void **state)
{
	AUTO(mem_free) char *other = text("%s/roots/root.pem", world.maker.dir);
	AUTO(mem_free) char *none = text("%s/admin.token", world.dir);
	const struct {
		const char *names;
		long seconds;
		const char *roots, *words;
	} rows[] = {
		{"DNS:localhost", -60, world.roots, "has expired"},
		{"DNS:other.example.test", DAYS(300), world.roots, "localhost"},
		{"DNS:localhost", DAYS(300), other, "devices do not trust it"},
		{"DNS:localhost", DAYS(300), none, "holds no certificate in PEM"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(output_free) struct output output;

		look_at_server(rows[i].names, rows[i].seconds, rows[i].roots, &output);
		finds_only(&output, "FAIL", rows[i].words);
	}
}

static void an_edge_that_lets_strangers_further_is_told(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	look_at_server("DNS:localhost", DAYS(300), world.roots, &output);
	assert_int_equal(output.code, 1);
	assert_int_equal(count(buf_text(&output.out), "FAIL  "), 5);
	assert_int_equal(count(buf_text(&output.out), "FAIL  edge       strangers reach /"), 4);
}

static void an_edge_without_a_service_behind_it_is_told(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	world_service_stop(&world, 0, SIGTERM);
	DOCTOR(&output, "--ca", world.roots, "--edge", world.name);
	restart();
	assert_int_equal(output.code, 1);
	assert_non_null(
		strstr(buf_text(&output.out), "FAIL  edge       /healthz is answered with 503"));
}

static void where_nobody_answers_the_configuration_is_looked_at(void **state)
{
	AUTO(output_free) struct output right, wrong;
	AUTO(mem_free) char *path = text("%s/policy.yaml", world.dir);

	(void)state;
	world_service_stop(&world, 0, SIGTERM);
	DOCTOR(&right, "--ca", world.roots, "--edge", world.name);
	write_file(path, 0644, view_str("rules: nonsense\n"));
	DOCTOR(&wrong);
	write_file(path, 0644, view_str(policy));
	restart();
	assert_int_equal(right.code, 1);
	assert_non_null(strstr(buf_text(&right.out), "FAIL  service    nobody answers"));
	assert_non_null(strstr(buf_text(&right.out), ": nothing wrong\n"));
	assert_int_equal(wrong.code, 1);
	assert_non_null(strstr(buf_text(&wrong.err), "policy.yaml:1:8: \"rules\""));
}

static void a_check_says_what_a_running_service_would(void **state)
{
	AUTO(output_free) struct output output;
	AUTO(mem_free) char *path = text("%s/policy.yaml", world.dir);

	(void)state;
	cluster_stop();
	assert_int_equal(chmod(path, 0666), 0);
	world_run(
		&world, &output, "endorsed", "--config", world.services[0].config, "--check", NULL);
	assert_int_equal(chmod(path, 0644), 0);
	cluster_start();
	assert_int_equal(output.code, 0);
	assert_int_equal(count(buf_text(&output.out), "fail  "), 2);
	assert_non_null(strstr(buf_text(&output.out), "fail  database   no device can enroll"));
	assert_non_null(strstr(buf_text(&output.out), "others can change it"));
	assert_non_null(strstr(buf_text(&output.out),
		": nothing wrong with the configuration; 2 thing(s) fail, see above\n"));
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(a_service_that_is_well_is_said_to_be),
		cmocka_unit_test(an_edge_that_was_not_looked_at_is_a_warning),
		cmocka_unit_test(a_file_that_others_can_reach_is_told_by_name),
		cmocka_unit_test(a_secret_that_is_gone_is_told_while_the_service_runs_on),
		cmocka_unit_test(a_database_that_is_away_is_told),
		cmocka_unit_test(a_database_that_is_read_only_is_told),
		cmocka_unit_test(a_schema_of_a_later_version_is_told),
		cmocka_unit_test(a_rule_for_any_kind_of_ek_is_a_warning),
		cmocka_unit_test(a_ca_that_ends_is_told_in_time),
		cmocka_unit_test(a_ca_that_has_ended_is_a_failure),
		cmocka_unit_test(a_root_that_ends_soon_is_a_warning),
		cmocka_unit_test(an_edge_certificate_that_ends_soon_is_a_warning),
		cmocka_unit_test(an_edge_that_is_not_there_is_told),
		cmocka_unit_test(an_edge_with_another_secret_is_told),
		cmocka_unit_test(an_edge_certificate_that_no_device_would_take_is_told),
		cmocka_unit_test(an_edge_that_lets_strangers_further_is_told),
		cmocka_unit_test(an_edge_without_a_service_behind_it_is_told),
		cmocka_unit_test(where_nobody_answers_the_configuration_is_looked_at),
		cmocka_unit_test(a_check_says_what_a_running_service_would),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
