/* test_doctor.c - each thing that can be wrong with a service, alone, and what is said of it. */
#include "ca/base/file.h"
#include "tests/flow/cluster.h"
#include "tests/flow/diagnosis.h"
#include "tests/flow/supervise.h"
#include "tests/flow/timed.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char policy[] = "rules:\n"
			     "  - name: any\n"
			     "    hosts: [{glob: \"web-*.example.test\"}]\n"
			     "    ek_kinds: [rsa2048]\n"
			     "    templates: [ak]\n";

static struct world world;
static char *templates;

static int make(void **state)
{
	AUTO(mem_free) char *shipped = world_source("templates/ak.yaml");

	(void)state;
	templates = text("%s/templates", supervise_dir());
	must(mkdir(templates, 0755) == 0, "mkdir");
	MUST_RUN("cp", shipped, templates);
	world_make(&(struct world_plan){.edge = true, .policy = policy, .templates = templates},
		&world);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	free(templates);
	world_free(&world);
	return 0;
}

static void a_service_that_is_well_is_said_to_be(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	diagnose(&world, &output, "--ca", world.roots, NULL);
	if (output.code != 0 || strstr(buf_text(&output.out), "\nall is well\n") == NULL)
		fail_msg("%d\n%s%s", output.code, buf_text(&output.out), buf_text(&output.err));
	assert_true(lines_of(&output, "ok   ") > 10);
	assert_true(has_line(&output, "ok   ca", "the OpenSSH CA of hosts is SHA256:"));
	assert_true(has_line(&output, "ok   ca", "the OpenSSH CA of users is SHA256:"));
}

static void an_edge_that_was_not_looked_at_is_a_warning(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	diagnose(&world, &output, NULL);
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
		{text("%s/ssh-host-ca.key", world.ca), 0604, 0600, "ssh-host-ca.key: a secret"},
		{text("%s/ssh-user-ca.passphrase", world.ca), 0640, 0600,
			"ssh-user-ca.passphrase: a secret"},
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
		diagnose(&world, &output, "--ca", world.roots, NULL);
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
	diagnose(&world, &output, "--ca", world.roots, NULL);
	finds_only(&output, "FAIL", "No such file or directory: this server does not start again");
	assert_int_equal(rename(away, path), 0);
}

static void a_database_that_is_away_is_told(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	cluster_stop();
	diagnose(&world, &output, "--ca", world.roots, NULL);
	cluster_start();
	finds_only(&output, "FAIL", "no device can enroll: cannot connect");
}

static void a_database_that_is_read_only_is_told(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	free(sql_text(
		world.conninfo, "ALTER DATABASE world_0 SET default_transaction_read_only = on"));
	diagnose(&world, &output, "--ca", world.roots, NULL);
	free(sql_text(world.conninfo, "BEGIN READ WRITE; ALTER DATABASE world_0 RESET "
				      "default_transaction_read_only; COMMIT"));
	finds_only(&output, "FAIL", "the database is read-only");
}

/* A function of ours in front of the server's own: its clock, as its statements see it. */
static void a_clock_that_is_wrong_is_told(void **state)
{
	static const struct {
		const char *apart, *mark, *words;
	} rows[] = {
		{"90 s", "FAIL", "this server's clock is 90 s behind the database's"},
		{"-10 s", "warn", "this server's clock is 10 s ahead of the database's"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(output_free) struct output output;

		free(sql_text(world.conninfo,
			"CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql "
			"AS"
			" $$SELECT pg_catalog.clock_timestamp() + interval '%s'$$;"
			"ALTER DATABASE world_0 SET search_path = public, pg_catalog",
			rows[i].apart));
		diagnose(&world, &output, "--ca", world.roots, NULL);
		free(sql_text(world.conninfo, "DROP FUNCTION public.clock_timestamp();"
					      "ALTER DATABASE world_0 RESET search_path"));
		finds_only(&output, rows[i].mark, rows[i].words);
	}
}

static void a_schema_of_a_later_version_is_told(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	free(sql_text(world.conninfo,
		"INSERT INTO schema_version (number, name, sha256) VALUES (9999, 'later', "
		"sha256('later'))"));
	diagnose(&world, &output, "--ca", world.roots, NULL);
	free(sql_text(world.conninfo, "DELETE FROM schema_version WHERE number = 9999"));
	finds_only(&output, "FAIL", "the database has schema 9999");
}

static void a_rule_for_any_kind_of_ek_is_a_warning(void **state)
{
	AUTO(mem_free) char *path = text("%s/policy.yaml", world.dir);
	AUTO(output_free) struct output output;

	(void)state;
	write_file(path, 0644,
		view_str("rules: [{name: a, hosts: [{exact: a.b}], templates: [ak]}]\n"));
	restart(&world);
	diagnose(&world, &output, "--ca", world.roots, NULL);
	write_file(path, 0644, view_str(policy));
	restart(&world);
	finds_only(&output, "warn", "1 rules take any kind of EK");
}

/* The shipped template with another lifetime, and an issuing CA that ends in so many seconds. */
static void start_with(const char *lifetime, long life, long seconds)
{
	AUTO(mem_free) char *shipped = world_source("templates/ak.yaml");
	AUTO(mem_free) char *path = text("%s/ak.yaml", templates);
	AUTO(mem_free) char *pem = text("%s/issuing.pem", world.ca);
	AUTO(mem_free) char *script = text("s/^lifetime: .*/lifetime: %s/", lifetime);
	AUTO(output_free) struct output sed;
	struct ca ca = ca_open(world.ca, "issuing");
	X509 *cert = timed_certify(&ca, ca.key, NULL, life, seconds);

	process_run(&(struct program){.argv = (const char *const[]){"sed", script, shipped, NULL}},
		&sed);
	write_file(path, 0644, buf_view(&sed.out));
	timed_write(pem, cert, NULL, NULL);
	X509_free(cert);
	ca_close(&ca);
	restart(&world);
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
	restart(&world);
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
		diagnose(&world, &output, "--ca", world.roots, NULL);
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
	diagnose(&world, &output, "--ca", world.roots, NULL);
	start_as_before();
	finds_only(&output, "FAIL", "the issuing CA's certificate ended at");
}

static void a_root_that_ends_soon_is_a_warning(void **state)
{
	AUTO(mem_free) char *path = text("%s/roots/other.pem", world.maker.dir);
	struct ca ca = ca_open(world.ca, "issuing");
	X509 *cert = timed_certify(&ca, ca.key, NULL, DAYS(100), DAYS(3));
	AUTO(output_free) struct output output;

	(void)state;
	timed_write(path, cert, NULL, NULL);
	restart(&world);
	diagnose(&world, &output, "--ca", world.roots, NULL);
	assert_int_equal(unlink(path), 0);
	restart(&world);
	finds_only(&output, "warn", "the root CN=short ends at");
	X509_free(cert);
	ca_close(&ca);
}

static void an_admin_ca_that_ends_soon_is_a_warning(void **state)
{
	AUTO(mem_free) char *path = text("%s/admin-ca.pem", world.ca);
	AUTO(mem_free) char *away = text("%s/admin-ca.away", world.ca);
	struct ca ca = ca_open(world.ca, "admin-ca");
	X509 *cert = timed_certify(&ca, ca.key, NULL, DAYS(100), DAYS(3));
	AUTO(output_free) struct output output;

	(void)state;
	assert_int_equal(rename(path, away), 0);
	timed_write(path, cert, NULL, NULL);
	restart(&world);
	diagnose(&world, &output, "--ca", world.roots, NULL);
	assert_int_equal(rename(away, path), 0);
	restart(&world);
	finds_only(&output, "warn", "the admin CA's certificate ends in");
	X509_free(cert);
	ca_close(&ca);
}

static void a_certificate_that_is_passed_over_is_a_warning(void **state)
{
	AUTO(mem_free) char *path = text("%s/roots/garbage.pem", world.maker.dir);
	AUTO(output_free) struct output output;

	(void)state;
	write_file(path, 0644, view_str("no certificate\n"));
	restart(&world);
	diagnose(&world, &output, "--ca", world.roots, NULL);
	assert_int_equal(unlink(path), 0);
	restart(&world);
	finds_only(&output, "warn", "roots/garbage.pem: no certificate that OpenSSL can read");
}

/* The issuing CA's, which no TPM's chain leads to: it is in the set all the same. */
static void write_list(const char *path, time_t due)
{
	struct ca ca = ca_open(world.ca, "issuing");
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *made = ASN1_TIME_set(NULL, due - 86400), *next = ASN1_TIME_set(NULL, due);
	uint8_t *der = NULL;
	int n;

	assert_int_equal(X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca.cert)), 1);
	assert_int_equal(X509_CRL_set1_lastUpdate(crl, made), 1);
	assert_int_equal(X509_CRL_set1_nextUpdate(crl, next), 1);
	assert_true(X509_CRL_sign(crl, ca.key, EVP_sha256()) > 0);
	assert_true((n = i2d_X509_CRL(crl, &der)) > 0);
	write_file(path, 0644, (struct view){der, (size_t)n});
	OPENSSL_free(der);
	ASN1_TIME_free(made);
	ASN1_TIME_free(next);
	X509_CRL_free(crl);
	ca_close(&ca);
}

static void a_list_past_its_next_update_is_a_warning(void **state)
{
	AUTO(mem_free) char *dir = text("%s/crls", world.dir);
	AUTO(mem_free) char *path = text("%s/old.crl", dir);
	const char *config = world.services[0].config;
	AUTO(buf_free) struct buf before = BUF(1 << 16), with = BUF(1 << 16);
	AUTO(output_free) struct output output;

	(void)state;
	assert_int_equal(mkdir(dir, 0755), 0);
	write_list(path, time(NULL) - 3600);
	assert_int_equal(file_read(config, &before), OK);
	/* The source of trust is the last that is written. */
	buf_fmt(&with, "%s    crls: %s\n", buf_text(&before), dir);
	write_file(config, 0644, buf_view(&with));
	restart(&world);
	diagnose(&world, &output, "--ca", world.roots, NULL);
	write_file(config, 0644, buf_view(&before));
	restart(&world);
	finds_only(&output, "warn", "is past its next update");
}

static void where_nobody_answers_the_configuration_is_looked_at(void **state)
{
	AUTO(output_free) struct output right, wrong;
	AUTO(mem_free) char *path = text("%s/policy.yaml", world.dir);

	(void)state;
	world_service_stop(&world, 0, SIGTERM);
	diagnose(&world, &right, "--ca", world.roots, "--edge", world.name, NULL);
	write_file(path, 0644, view_str("rules: nonsense\n"));
	diagnose(&world, &wrong, NULL);
	write_file(path, 0644, view_str(policy));
	restart(&world);
	assert_int_equal(right.code, 1);
	assert_non_null(strstr(buf_text(&right.out), "FAIL service    nobody answers"));
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
	assert_int_equal(lines_of(&output, "FAIL "), 2);
	assert_non_null(strstr(buf_text(&output.out), "FAIL database   no device can enroll"));
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
		cmocka_unit_test(a_clock_that_is_wrong_is_told),
		cmocka_unit_test(a_schema_of_a_later_version_is_told),
		cmocka_unit_test(a_rule_for_any_kind_of_ek_is_a_warning),
		cmocka_unit_test(a_ca_that_ends_is_told_in_time),
		cmocka_unit_test(a_ca_that_has_ended_is_a_failure),
		cmocka_unit_test(a_root_that_ends_soon_is_a_warning),
		cmocka_unit_test(an_admin_ca_that_ends_soon_is_a_warning),
		cmocka_unit_test(a_certificate_that_is_passed_over_is_a_warning),
		cmocka_unit_test(a_list_past_its_next_update_is_a_warning),
		cmocka_unit_test(where_nobody_answers_the_configuration_is_looked_at),
		cmocka_unit_test(a_check_says_what_a_running_service_would),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
