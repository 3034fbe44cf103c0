/* test_checkup_service.c - `endorse doctor`: clock, network, TLS, service, policy, what is held. */
#include "tests/flow/checkup.h"
#include "tests/flow/cluster.h"
#include "tests/flow/supervise.h"

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct checkup checkup;

static int make(void **unused)
{
	(void)unused;
	checkup_make(&checkup);
	return 0;
}

static int unmake(void **unused)
{
	(void)unused;
	checkup_free(&checkup);
	return 0;
}

/* --- clock, name, network, TLS --- */

static void a_clock_that_was_never_set_is_named_and_so_is_what_it_does_to_tls(void **unused)
{
	AUTO(output_free) struct output output;

	(void)unused;
	checkup_run(&checkup, &(struct run){.chip = WELL, .time = "@2000-01-01 00:00:00"}, &output);
	assert_says(&output, "FAIL clock", "before this program was written");
	assert_says(&output, "FAIL tls", "either the clock is wrong");
	assert_int_equal(output.code, 1);
}

static void a_clock_beyond_the_cas_life_is_named(void **unused)
{
	AUTO(output_free) struct output output;

	(void)unused;
	checkup_run(&checkup, &(struct run){.chip = WELL, .time = "+60y"}, &output);
	assert_says(&output, "FAIL clock", "the CA that is trusted here");
	assert_says(&output, "FAIL tls", "either the clock is wrong");
}

static void a_clock_ahead_of_the_services_is_told(void **unused)
{
	AUTO(output_free) struct output ahead;

	(void)unused;
	checkup_run(&checkup, &(struct run){.chip = WELL, .time = "+10m"}, &ahead);
	assert_says(&ahead, "warn clock", "ahead of the service's");
	assert_int_equal(ahead.code, 0);
}

/* A label of 64 letters: no resolver has to be asked. */
static void a_name_that_leads_nowhere_is_named(void **unused)
{
	(void)unused;
	assert_wrong(&checkup,
		&(struct run){.chip = WELL,
			.server = "https://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
				  "aaaaaaaa.example.test"},
		"FAIL network", "leads to no address");
}

static void the_services_own_name_is_for_nobody(void **unused)
{
	AUTO(mem_free) char *server = text("https://%s", CHECKUP_HOST);
	AUTO(output_free) struct output output;

	(void)unused;
	checkup_run(&checkup, &(struct run){.chip = WELL, .server = server}, &output);
	assert_says(&output, "FAIL name", "the service's own name");
}

static void a_digest_that_no_sent_certificate_has_is_told(void **unused)
{
	AUTO(output_free) struct output output;

	(void)unused;
	world_run(&checkup.world, &output, "endorse", "doctor", "--state", checkup.state, "--tcti",
		checkup.world.chips[WELL].tcti, "--host", CHECKUP_HOST, "--server",
		checkup.world.name, "--ca-sha256",
		"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", NULL);
	assert_says(&output, "FAIL tls", "no CA certificate with the digest");
	assert_int_equal(lines_of(&output, "FAIL"), 1);
}

static void a_proxy_is_looked_at_instead(void **unused)
{
	AUTO(mem_free) char *proxy = text("http://127.0.0.1:%d", free_port());

	(void)unused;
	assert_wrong(&checkup, &(struct run){.chip = WELL, .more = {"--proxy", proxy}},
		"FAIL network", "the proxy, 127.0.0.1");
}

static void a_foreign_ca_is_told_from_other_troubles(void **unused)
{
	AUTO(mem_free) char *roots = text("%s/roots/root.pem", checkup.world.maker.dir);

	(void)unused;
	assert_wrong(&checkup, &(struct run){.chip = WELL, .ca = roots}, "FAIL tls",
		"does not lead to a CA that is trusted here");
}

static void without_anybody_to_trust_there_is_no_tls(void **unused)
{
	AUTO(output_free) struct output output;

	(void)unused;
	world_run(&checkup.world, &output, "endorse", "doctor", "--state", checkup.state, "--tcti",
		checkup.world.chips[WELL].tcti, "--host", CHECKUP_HOST, "--server",
		checkup.world.name, NULL);
	assert_int_equal(output.code, 1);
	assert_says(&output, "FAIL tls", "whom to trust?");
}

/* Something that is not the edge: TLS with a certificate for `name`, and this one answer. */
static pid_t stand_in(const char *name, int port, const char *answer)
{
	AUTO(mem_free) char *endorsectl = text("%s/endorsectl", ENDORSE_BIN_DIR);
	AUTO(mem_free) char *cert = text("%s/stand-in-%d.pem", checkup.world.dir, port);
	AUTO(mem_free) char *config = text("%s/stand-in-%d.cfg", checkup.world.dir, port);
	AUTO(mem_free) char *log = text("%s/stand-in-%d.log", checkup.world.dir, port);
	AUTO(mem_free)
	char *words = text("defaults\n\tmode http\n\ttimeout client 5s\n\ttimeout http-request 5s\n"
			   "frontend f\n\tbind 127.0.0.1:%d ssl crt %s\n\thttp-request return %s\n",
		port, cert, answer);

	MUST_RUN(
		endorsectl, "ca", "edge", "--dir", checkup.world.ca, "--name", name, "--out", cert);
	write_file(config, 0644, view_str(words));
	return process_start(&(struct program){
		.log = log, .argv = (const char *const[]){"haproxy", "-db", "-f", config, NULL}});
}

static void doctor_at(
	const char *name, const char *answer, const struct run *run, struct output *output)
{
	int port = free_port();
	AUTO(mem_free) char *server = text("https://localhost:%d", port);
	struct run there = *run;
	pid_t pid = stand_in(name, port, answer);

	must(wait_until(httpc_listens, &port, 10000), "the stand-in does not listen");
	there.server = server;
	checkup_run(&checkup, &there, output);
	process_stop(&pid, SIGTERM);
}

static void a_certificate_for_other_names_lists_them(void **unused)
{
	AUTO(output_free) struct output output;

	(void)unused;
	doctor_at("elsewhere.example.test", "status 200", &(struct run){.chip = WELL}, &output);
	assert_says(&output, "FAIL tls", "for other names (elsewhere.example.test)");
	assert_int_equal(lines_of(&output, "FAIL"), 1);
}

static void something_else_than_endorse_is_recognised(void **unused)
{
	AUTO(output_free) struct output output;

	(void)unused;
	doctor_at("localhost", "status 404", &(struct run){.chip = WELL}, &output);
	assert_says(&output, "FAIL tls", "something else than Endorse answers there (HTTP 404");
	assert_says(&output, "-    service", "there is no service");
	assert_int_equal(lines_of(&output, "FAIL"), 1);
}

static void a_service_without_a_clock_cannot_be_compared_with(void **unused)
{
	AUTO(output_free) struct output output;

	(void)unused;
	doctor_at("localhost", "status 200 content-type text/plain string \"ok\\n\"",
		&(struct run){.chip = WELL}, &output);
	assert_says(&output, "-    clock", "no answer told its time");
}

static void far_behind_the_service_what_it_issues_is_not_valid_yet(void **unused)
{
	AUTO(output_free) struct output output;

	(void)unused;
	doctor_at("localhost",
		"status 200 content-type text/plain string \"ok\\n\""
		" hdr Date \"Tue, 01 Jan 2097 00:00:00 GMT\"",
		&(struct run){.chip = WELL}, &output);
	assert_says(&output, "FAIL clock", "behind the service's");
}

/* The service behind it, as it was before it knew of checks. */
static void an_older_service_cannot_tell_policy_and_that_is_no_fault(void **unused)
{
	AUTO(mem_free)
	char *answer =
		text("status 400 content-type application/problem+json string "
		     "'{\"type\":\"urn:endorse:error:json-key-unknown\",\"status\":400,"
		     "\"detail\":\"the key is unknown\"}' if { path /v1/enroll }\n"
		     "\thttp-request set-header X-Endorse-Edge %s\n"
		     "\tdefault_backend b\nbackend b\n\ttimeout server 5s\n\ttimeout connect 5s\n"
		     "\tserver s 127.0.0.1:%d",
			checkup.world.secret, checkup.world.services[0].port);
	AUTO(output_free) struct output output;

	(void)unused;
	doctor_at("localhost", answer,
		&(struct run){.chip = WELL, .more = {"--service", checkup.world.name}}, &output);
	assert_says(&output, "ok   service", "the TPM opened the credential");
	assert_says(&output, "warn policy", "this service is older");
	assert_int_equal(output.code, 0);
}

static void a_stopped_edge_and_a_stopped_service_are_told_apart(void **unused)
{
	(void)unused;
	world_service_stop(&checkup.world, 0, SIGTERM);
	assert_wrong(
		&checkup, &(struct run){.chip = WELL}, "FAIL tls", "the service behind it is away");
	world_edge_stop(&checkup.world);
	assert_wrong(&checkup, &(struct run){.chip = WELL}, "FAIL network", "Connection refused");
	world_service_start(&checkup.world, 0);
	world_edge_start(&checkup.world);
}

/* --- service and policy --- */

static void another_services_name_is_refused_with_the_right_one(void **unused)
{
	(void)unused;
	assert_wrong(&checkup,
		&(struct run){.chip = WELL, .more = {"--service", "https://other.example.org"}},
		"FAIL service", "refused (wrong-service)");
}

static void a_service_without_its_database_is_the_operators_matter(void **unused)
{
	(void)unused;
	cluster_stop();
	assert_wrong(&checkup, &(struct run){.chip = WELL}, "FAIL policy",
		"its operator has to look (endorsectl doctor)");
	cluster_start();
}

static void a_name_that_no_rule_gives_is_told_before_anybody_enrolls(void **unused)
{
	(void)unused;
	assert_wrong(&checkup, &(struct run){.chip = WELL, .host = "host.elsewhere.org"},
		"FAIL policy", "refused (name-not-allowed)");
}

/* Of all the runs before. */
static void nothing_was_left_anywhere(void **unused)
{
	static const char *const tables[] = {"device", "host", "ek", "ak", "certificate", "ticket"};

	(void)unused;
	for (size_t i = 0; i < COUNT(tables); i++)
		if (world_rows(&checkup.world, tables[i]) != 0)
			fail_msg("a row in \"%s\"", tables[i]);
	for (size_t i = 0; i < checkup.world.chips_n; i++)
		assert_nothing_left(checkup.world.chips[i].tcti);
	assert_int_equal(access(checkup.state, F_OK), -1);
}

static void enroll(size_t chip, const char *host, const char *dir, const char *ek)
{
	AUTO(output_free) struct output output;

	world_run(&checkup.world, &output, "endorse", "enroll", "--server", checkup.world.name,
		"--ca", checkup.world.roots, "--tcti", checkup.world.chips[chip].tcti, "--host",
		host, "--state", dir, "--ek", ek, NULL);
	if (output.code != 0)
		fail_msg("%s", buf_text(&output.err));
}

static void a_name_of_another_device_is_told_before_anybody_enrolls(void **unused)
{
	AUTO(mem_free) char *dir = text("%s/other", checkup.world.dir);

	(void)unused;
	certify_ill(&checkup, &checkup.world.maker, NULL);
	enroll(ILL, "taken.example.test", dir, "p256");
	assert_wrong(&checkup, &(struct run){.chip = WELL, .host = "taken.example.test"},
		"FAIL policy", "refused (host-bound-to-another-device)");
	assert_int_equal(world_rows(&checkup.world, "device"), 1);
}

/* From here on `state` is an enrollment's. */
static void an_enrolled_machine_needs_no_options_and_its_own_key_is_tried(void **unused)
{
	AUTO(output_free) struct output output;

	(void)unused;
	enroll(WELL, CHECKUP_HOST, checkup.state, "auto");
	world_run(&checkup.world, &output, "endorse", "doctor", "--state", checkup.state, "--tcti",
		checkup.world.chips[WELL].tcti, NULL);
	assert_says(&output, "ok   state", CHECKUP_HOST " is enrolled with");
	assert_says(&output, "ok   ak", "is this TPM's, for this service");
	assert_says(&output, "ok   policy", "nothing stands against \"" CHECKUP_HOST "\"");
	assert_int_equal(output.code, 0);
	assert_int_equal(world_rows(&checkup.world, "device"), 2);
	assert_int_equal(world_rows(&checkup.world, "ticket"), 2);
}

static void a_certificate_that_ended_is_named(void **unused)
{
	AUTO(output_free) struct output output;

	(void)unused;
	checkup_run(&checkup, &(struct run){.chip = WELL, .time = "+100d"}, &output);
	assert_says(&output, "FAIL state", "whoever relies on it refuses it");
}

static void a_state_of_another_tpm_is_seen(void **unused)
{
	AUTO(output_free) struct output output;

	(void)unused;
	checkup_run(&checkup, &(struct run){.chip = ILL}, &output);
	assert_says(&output, "warn ek", "was enrolled with another EK");
	assert_says(&output, "warn ak", "is not used");
	assert_says(&output, "FAIL policy", "host-bound-to-another-device");
}

static void a_state_that_others_may_write_is_named(void **unused)
{
	AUTO(output_free) struct output output;

	(void)unused;
	MUST_RUN("chmod", "0777", checkup.state);
	checkup_run(&checkup, &(struct run){.chip = WELL}, &output);
	MUST_RUN("chmod", "0700", checkup.state);
	assert_says(&output, "FAIL state", "others may write there");
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(a_clock_that_was_never_set_is_named_and_so_is_what_it_does_to_tls),
		cmocka_unit_test(a_clock_beyond_the_cas_life_is_named),
		cmocka_unit_test(a_clock_ahead_of_the_services_is_told),
		cmocka_unit_test(a_name_that_leads_nowhere_is_named),
		cmocka_unit_test(the_services_own_name_is_for_nobody),
		cmocka_unit_test(a_digest_that_no_sent_certificate_has_is_told),
		cmocka_unit_test(a_proxy_is_looked_at_instead),
		cmocka_unit_test(a_foreign_ca_is_told_from_other_troubles),
		cmocka_unit_test(without_anybody_to_trust_there_is_no_tls),
		cmocka_unit_test(a_certificate_for_other_names_lists_them),
		cmocka_unit_test(something_else_than_endorse_is_recognised),
		cmocka_unit_test(a_service_without_a_clock_cannot_be_compared_with),
		cmocka_unit_test(far_behind_the_service_what_it_issues_is_not_valid_yet),
		cmocka_unit_test(an_older_service_cannot_tell_policy_and_that_is_no_fault),
		cmocka_unit_test(a_stopped_edge_and_a_stopped_service_are_told_apart),
		cmocka_unit_test(another_services_name_is_refused_with_the_right_one),
		cmocka_unit_test(a_service_without_its_database_is_the_operators_matter),
		cmocka_unit_test(a_name_that_no_rule_gives_is_told_before_anybody_enrolls),
		cmocka_unit_test(nothing_was_left_anywhere),
		cmocka_unit_test(a_name_of_another_device_is_told_before_anybody_enrolls),
		cmocka_unit_test(an_enrolled_machine_needs_no_options_and_its_own_key_is_tried),
		cmocka_unit_test(a_certificate_that_ended_is_named),
		cmocka_unit_test(a_state_of_another_tpm_is_seen),
		cmocka_unit_test(a_state_that_others_may_write_is_named),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
