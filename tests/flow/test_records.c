/* test_records.c - what the records of a device do to its next request, and what it leaves in them. */
#include "tests/flow/cluster.h"
#include "tests/flow/supervise.h"
#include "tests/flow/visit.h"

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char policy[] = "rules:\n"
			     "  - name: any\n"
			     "    hosts: [{glob: \"*.example.test\"}]\n"
			     "    templates: [ak]\n";

#define ARC "1.3.6.1.4.1.99999." /* of nobody */

static struct world world;

static char *templates; /* our own copy, for a test that changes it */

/* Writes the shipped template of the AK, through a sed script. */
static void write_template(const char *script)
{
	AUTO(mem_free) char *shipped = world_source("templates/ak.yaml");
	AUTO(mem_free) char *path = text("%s/ak.yaml", templates);
	AUTO(output_free) struct output sed;

	process_run(&(struct program){.argv = (const char *const[]){"sed", script, shipped, NULL}},
		&sed);
	must(sed.code == 0, "sed: %s", buf_text(&sed.err));
	write_file(path, 0644, buf_view(&sed.out));
}

static int make(void **state)
{
	(void)state;
	templates = text("%s/templates", supervise_dir());
	must(mkdir(templates, 0755) == 0, "mkdir");
	write_template("");
	world_make(
		&(struct world_plan){
			.chips = 8, .services = 2, .policy = policy, .templates = templates},
		&world);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	free(templates);
	return 0;
}

static long certificates_of(const char *host)
{
	return sql_number(
		world.conninfo, "SELECT count(*) FROM certificate WHERE host = '%s'", host);
}

static long refusals_of(const char *host)
{
	return sql_number(world.conninfo,
		"SELECT count(*) FROM audit WHERE event = 'enroll.refused' AND host = '%s'", host);
}

static void a_refusal_sent_again_and_again_is_one_audit_row(void **state)
{
	AUTO(visit_end) struct visit visit;

	(void)state;
	visit_begin(&visit, &world, 6, 0, "seventeen.elsewhere.org", KEY_RSA_2048);
	assert_int_equal(dialogue_run(&visit.dialogue), 403);
	for (size_t i = 0; i < 20; i++) {
		visit.dialogue.peer = &world.services[i % 2].peer;
		assert_int_equal(dialogue_enroll(&visit.dialogue), 403);
		assert_string_equal(visit.dialogue.problem.code, "name-not-allowed");
	}
	assert_int_equal(refusals_of("seventeen.elsewhere.org"), 1);
}

static void a_proven_device_that_asks_for_nonsense_is_an_audit_row_too(void **state)
{
	AUTO(visit_end) struct visit visit;

	(void)state;
	visit_begin(&visit, &world, 7, 0, "eighteen.example.test", KEY_RSA_2048);
	dialogue_claim(&visit.dialogue);
	assert_int_equal(dialogue_ticket(&visit.dialogue), 200);
	assert_true(dialogue_activate(&visit.dialogue));
	buf_str(&visit.dialogue.request, "{\"keys\":[]}");
	dialogue_prove_again(&visit.dialogue);
	assert_int_equal(dialogue_enroll(&visit.dialogue), 400);
	assert_string_equal(visit.dialogue.problem.code, "request-keys");
	assert_int_equal(refusals_of("eighteen.example.test"), 1);
}

static void a_refusal_that_the_audit_does_not_take_is_told_all_the_same_and_logged_so(void **state)
{
	AUTO(mem_free) char *nothing = NULL, *log = NULL;
	AUTO(visit_end) struct visit visit;

	(void)state;
	visit_begin(&visit, &world, 7, 0, "nineteen.elsewhere.org", KEY_RSA_2048);
	nothing = sql_text(world.conninfo,
		"ALTER TABLE audit ADD CONSTRAINT away CHECK (host <> 'nineteen.elsewhere.org') "
		"NOT VALID");
	assert_int_equal(dialogue_run(&visit.dialogue), 403);
	assert_string_equal(visit.dialogue.problem.code, "name-not-allowed");
	assert_int_equal(refusals_of("nineteen.elsewhere.org"), 0);
	log = world_log(&world, 0);
	assert_non_null(strstr(log, " proven=yes recorded=no reason=name-not-allowed "));
}

/* What an admin will do by an act of its own, done to the records by hand. */
static void sets(const char *fmt, const char *host)
{
	AUTO(mem_free) char *nothing = sql_text(world.conninfo, fmt, host);

	(void)nothing;
}

static void a_revoked_device_gets_nothing_neither_anew_nor_by_repeating(void **state)
{
	AUTO(visit_end) struct visit visit;

	(void)state;
	visit_begin(&visit, &world, 0, 0, "eleven.example.test", KEY_RSA_2048);
	assert_int_equal(dialogue_run(&visit.dialogue), 200);
	sets("UPDATE device SET state = 'revoked', revision = revision + 1 WHERE device_id = "
	     "(SELECT device_id FROM host WHERE name = '%s')",
		"eleven.example.test");
	assert_int_equal(dialogue_enroll(&visit.dialogue), 403);
	assert_string_equal(visit.dialogue.problem.code, "device-revoked");
	assert_int_equal(dialogue_run(&visit.dialogue), 403);
	assert_string_equal(visit.dialogue.problem.code, "device-revoked");
	assert_int_equal(certificates_of("eleven.example.test"), 1);
}

static void the_ban_of_a_device_holds_for_its_other_ek_with_the_same_ak(void **state)
{
	AUTO(visit_end) struct visit visit;

	(void)state;
	visit_begin(&visit, &world, 1, 0, "twelve.example.test", KEY_RSA_2048);
	assert_int_equal(dialogue_run(&visit.dialogue), 200);
	sets("UPDATE device SET state = 'revoked', revision = revision + 1 WHERE device_id = "
	     "(SELECT device_id FROM host WHERE name = '%s')",
		"twelve.example.test");
	dialogue_other_ek(&visit.dialogue, KEY_P384);
	assert_int_equal(dialogue_run(&visit.dialogue), 403);
	assert_string_equal(visit.dialogue.problem.code, "device-revoked");
}

static void a_revoked_certificate_is_not_repeated_and_not_returned(void **state)
{
	AUTO(visit_end) struct visit visit;

	(void)state;
	visit_begin(&visit, &world, 2, 0, "thirteen.example.test", KEY_RSA_2048);
	assert_int_equal(dialogue_run(&visit.dialogue), 200);
	sets("UPDATE certificate SET revoked_at = now(), revocation_reason = 'keyCompromise' "
	     "WHERE host = '%s'",
		"thirteen.example.test");
	assert_int_equal(dialogue_enroll(&visit.dialogue), 403);
	assert_string_equal(visit.dialogue.problem.code, "certificate-revoked");
	assert_int_equal(dialogue_run(&visit.dialogue), 200);
	assert_int_equal(certificates_of("thirteen.example.test"), 2);
}

static void a_superseded_ak_is_refused(void **state)
{
	AUTO(visit_end) struct visit visit;

	(void)state;
	visit_begin(&visit, &world, 3, 0, "fourteen.example.test", KEY_RSA_2048);
	assert_int_equal(dialogue_run(&visit.dialogue), 200);
	sets("UPDATE ak SET state = 'superseded' WHERE device_id = "
	     "(SELECT device_id FROM host WHERE name = '%s')",
		"fourteen.example.test");
	assert_int_equal(dialogue_run(&visit.dialogue), 403);
	assert_string_equal(visit.dialogue.problem.code, "ak-superseded");
}

static void an_ak_of_another_dialect_is_refused(void **state)
{
	AUTO(visit_end) struct visit visit;

	(void)state;
	visit_begin(&visit, &world, 4, 0, "fifteen.example.test", KEY_RSA_2048);
	assert_int_equal(dialogue_run(&visit.dialogue), 200);
	sets("UPDATE ak SET dialect = 'keylime' WHERE device_id = "
	     "(SELECT device_id FROM host WHERE name = '%s')",
		"fifteen.example.test");
	assert_int_equal(dialogue_run(&visit.dialogue), 403);
	assert_string_equal(visit.dialogue.problem.code, "ak-other-dialect");
}

static void what_fails_in_the_service_is_internal_and_tells_nothing_of_it(void **state)
{
	AUTO(visit_end) struct visit visit;

	(void)state;
	visit_begin(&visit, &world, 5, 0, "sixteen.example.test", KEY_RSA_2048);
	dialogue_claim(&visit.dialogue);
	assert_int_equal(dialogue_ticket(&visit.dialogue), 200);
	assert_true(dialogue_activate(&visit.dialogue));
	dialogue_prove(&visit.dialogue);
	sets("ALTER TABLE audit ADD CONSTRAINT nonsense CHECK (host <> '%s') NOT VALID",
		"sixteen.example.test");
	assert_int_equal(dialogue_enroll(&visit.dialogue), 500);
	assert_string_equal(visit.dialogue.problem.code, "internal");
	assert_null(strstr(buf_text(&visit.dialogue.last.body), "nonsense"));
	sets("ALTER TABLE audit DROP CONSTRAINT %s", "nonsense");
	assert_int_equal(certificates_of("sixteen.example.test"), 0);
	assert_int_equal(dialogue_enroll(&visit.dialogue), 200);
}

static void start_again(void)
{
	for (size_t i = 0; i < world.services_n; i++) {
		assert_int_equal(world_service_stop(&world, i, SIGTERM), 0);
		world_service_start(&world, i);
	}
}

/* Lines with an OID of the test's own arc. */
static size_t policies_in(const char *said)
{
	size_t n = 0;

	for (const char *at = strstr(said, ARC); at != NULL; at = strstr(at + 1, ARC))
		n++;
	return n;
}

static void assert_states(const char *leaf, const char *stated)
{
	AUTO(output_free) struct output openssl, certtool;

	process_run(&(struct program){.argv = (const char *const[]){"openssl", "x509", "-inform",
					      "DER", "-in", leaf, "-noout", "-ext",
					      "certificatePolicies", NULL}},
		&openssl);
	process_run(&(struct program){.argv = (const char *const[]){"certtool", "--inder",
					      "--certificate-info", "--infile", leaf, NULL}},
		&certtool);
	assert_non_null(strstr(buf_text(&openssl.out), stated));
	assert_non_null(strstr(buf_text(&certtool.out), stated));
	assert_int_equal(policies_in(buf_text(&openssl.out)), 1);
	assert_int_equal(policies_in(buf_text(&certtool.out)), 1);
}

/* The world's manufacturer is one that the operator brought. */
static void how_an_ek_came_to_be_trusted_stands_in_its_certificate_where_the_template_says_so(
	void **state)
{
	AUTO(mem_free) char *leaf = text("%s/stated.der", world.dir);
	AUTO(visit_end) struct visit visit;

	(void)state;
	write_template("s/^version: 2$/version: 3/\n"
		       "$a trust_policies: { manufacturer: " ARC "1, operator-import: " ARC "2, "
		       "allow-list: " ARC "3, approved: " ARC "4 }");
	start_again();
	visit_begin(&visit, &world, 7, 0, "stated.example.test", KEY_P384);
	assert_int_equal(dialogue_run(&visit.dialogue), 200);
	write_file(leaf, 0644, visit.dialogue.answer->certificates[0].der);
	assert_states(leaf, ARC "2\n");
	write_template("");
	start_again();
}

/* With a new ticket everything is judged anew: by today's template, and by today's policy. */
static void what_was_issued_by_older_rules_is_not_returned_by_newer_ones(void **state)
{
	AUTO(mem_free) char *path = text("%s/policy.yaml", world.dir);
	AUTO(visit_end) struct visit visit;

	(void)state;
	visit_begin(&visit, &world, 3, 0, "tightened.example.test", KEY_P384);
	assert_int_equal(dialogue_run(&visit.dialogue), 200);
	assert_int_equal(dialogue_run(&visit.dialogue), 200);
	assert_int_equal(certificates_of("tightened.example.test"), 1);
	write_template("s/^version: 2$/version: 3/; s/^lifetime: 90d$/lifetime: 30d/");
	start_again();
	assert_int_equal(dialogue_run(&visit.dialogue), 200);
	assert_int_equal(certificates_of("tightened.example.test"), 2);
	write_file(path, 0644,
		view_str("rules:\n  - name: other\n    hosts: [{exact: other.example.test}]\n"
			 "    templates: [ak]\n"));
	start_again();
	assert_int_equal(dialogue_run(&visit.dialogue), 403);
	assert_string_equal(visit.dialogue.problem.code, "name-not-allowed");
	assert_int_equal(certificates_of("tightened.example.test"), 2);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(a_refusal_sent_again_and_again_is_one_audit_row),
		cmocka_unit_test(a_proven_device_that_asks_for_nonsense_is_an_audit_row_too),
		cmocka_unit_test(
			a_refusal_that_the_audit_does_not_take_is_told_all_the_same_and_logged_so),
		cmocka_unit_test(a_revoked_device_gets_nothing_neither_anew_nor_by_repeating),
		cmocka_unit_test(the_ban_of_a_device_holds_for_its_other_ek_with_the_same_ak),
		cmocka_unit_test(a_revoked_certificate_is_not_repeated_and_not_returned),
		cmocka_unit_test(a_superseded_ak_is_refused),
		cmocka_unit_test(an_ak_of_another_dialect_is_refused),
		cmocka_unit_test(what_fails_in_the_service_is_internal_and_tells_nothing_of_it),
		cmocka_unit_test(
			how_an_ek_came_to_be_trusted_stands_in_its_certificate_where_the_template_says_so),
		cmocka_unit_test(what_was_issued_by_older_rules_is_not_returned_by_newer_ones),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
