/* test_daemon.c - endorsed started, checked, stopped, and with a database that comes and goes. */
#include "tests/flow/cluster.h"
#include "tests/flow/inflight.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define EXIT_CONFIG 78

static struct world world;
static struct device device;

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.chips = 1, .services = 4}, &world);
	device_open(&device, world.chips[0].tcti);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	device_close(&device);
	world_free(&world);
	return 0;
}

static void check(const char *config, struct output *output)
{
	world_run(&world, output, "endorsed", "--config", config, "--check", NULL);
}

static void a_right_configuration_has_nothing_wrong(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	check(world.services[0].config, &output);
	assert_int_equal(output.code, 0);
	assert_non_null(strstr(buf_text(&output.out), "nothing wrong"));
}

static void every_problem_of_a_configuration_is_told_with_its_place(void **state)
{
	static const char yaml[] = "service: http://plain.example.org\n"
				   "lisen: 127.0.0.1:1\n"
				   "threads: 5000\n"
				   "threads: 6\n"
				   "edge_secret_file: nowhere\n"
				   "admin_token_file: nowhere\n"
				   "ticket_key_file: nowhere\n"
				   "database: \"dbname=x\"\n"
				   "ca: {certificate: a, key: b}\n"
				   "templates: nowhere\n"
				   "policy: nowhere\n"
				   "trust: []\n";
	static const char *const wanted[] = {"bad.yaml:2:1: unknown key \"lisen\"",
		"bad.yaml:3:10: \"threads\" is \"5000\": wanted 1 to 1024",
		"bad.yaml:4:1: the key \"threads\" is there twice",
		"bad.yaml:9:5: the key \"passphrase_file\" is missing",
		"bad.yaml:12:8: \"trust\" has 0 entries: wanted 1 to 64"};
	AUTO(mem_free) char *path = text("%s/bad.yaml", world.dir);
	AUTO(output_free) struct output output;

	(void)state;
	write_file(path, 0644, view_str(yaml));
	check(path, &output);
	assert_int_equal(output.code, EXIT_CONFIG);
	for (size_t i = 0; i < COUNT(wanted); i++)
		if (strstr(buf_text(&output.err), wanted[i]) == NULL)
			fail_msg("no \"%s\" in:\n%s", wanted[i], buf_text(&output.err));
}

/* Copies service 0's configuration with one line changed, and checks that. */
static void check_changed(const char *key, const char *value, struct output *output)
{
	AUTO(mem_free) char *path = text("%s/changed.yaml", world.dir);
	AUTO(mem_free) char *script = text("s|^\\( *\\)%s:.*|\\1%s: %s|", key, key, value);
	AUTO(output_free) struct output sed;

	process_run(&(struct program){.argv = (const char *const[]){"sed", script,
					      world.services[0].config, NULL}},
		&sed);
	assert_int_equal(sed.code, 0);
	write_file(path, 0644, buf_view(&sed.out));
	check(path, output);
}

static void what_the_configuration_names_is_checked_too(void **state)
{
	AUTO(mem_free) char *open_secret = text("%s/open.secret", world.dir);
	AUTO(mem_free) char *short_secret = text("%s/short.secret", world.dir);
	AUTO(mem_free) char *bad_policy = text("%s/bad-policy.yaml", world.dir);
	AUTO(mem_free) char *other_key = text("%s/edge-ca.key", world.ca);
	const struct {
		const char *key, *value, *wanted;
	} rows[] = {
		{"service", "http://plain.example.org", "wanted an https URL"},
		{"listen", "0.0.0.0:8080", "wanted 127.0.0.1:PORT"},
		{"ticket_key_file", open_secret, "a secret that others can reach"},
		{"ticket_key_file", short_secret, "wanted 64 hexadecimal digits"},
		{"policy", bad_policy, "bad-policy.yaml:4:5: there is no template \"nosuch\""},
		{"key", other_key, "the passphrase does not open it"},
		{"templates", "nowhere", "No such file or directory"},
		{"roots", "nowhere", "No such file or directory"},
		{"database", "\"host=x nonsense\"", "the connection string is not one"},
		{"class", "operator-import\\n    manufacturers: [\"id:4946\"]",
			"wanted \"id:\" and eight hexadecimal digits"},
		{"class", "approved", "wanted one of manufacturer, operator-import"},
		{"class", "unproven-root", "wanted one of manufacturer, operator-import"},
		{"class", "operator-import\\n    crls: no-crls", "/no-crls: No such file"},
		{"intermediates", "x\\nvendors: no-vendors", "/no-vendors: No such file"},
	};

	(void)state;
	write_file(open_secret, 0644, view_str(world.secret));
	write_file(short_secret, 0600, view_str("00\n"));
	write_file(bad_policy, 0644,
		view_str("rules:\n  # a comment\n\n  - name: a\n    hosts: [{exact: a.b}]\n    "
			 "templates: [nosuch]\n"));
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(output_free) struct output output;

		check_changed(rows[i].key, rows[i].value, &output);
		if (output.code != EXIT_CONFIG ||
			strstr(buf_text(&output.err), rows[i].wanted) == NULL)
			fail_msg("%s: %s: exit %d, no \"%s\" in:\n%s", rows[i].key, rows[i].value,
				output.code, rows[i].wanted, buf_text(&output.err));
	}
}

/* Service 0's configuration with this in place of its sources of trust. */
static void check_trust(const char *lines, struct output *output)
{
	AUTO(mem_free) char *path = text("%s/changed.yaml", world.dir);
	AUTO(output_free) struct output sed;

	process_run(&(struct program){.argv = (const char *const[]){"sed", "/^trust:/,$d",
					      world.services[0].config, NULL}},
		&sed);
	assert_int_equal(sed.code, 0);
	buf_str(&sed.out, lines);
	write_file(path, 0644, buf_view(&sed.out));
	check(path, output);
}

static void the_vendors_alone_are_trust_enough_and_none_is_not(void **state)
{
	AUTO(mem_free) char *vendors = world_source("policy/vendors");
	AUTO(mem_free) char *lines = text("vendors: %s\n", vendors);
	AUTO(output_free) struct output some, none;

	(void)state;
	check_trust(lines, &some);
	if (some.code != 0)
		fail_msg("%s", buf_text(&some.err));
	check_trust("", &none);
	assert_int_equal(none.code, EXIT_CONFIG);
	assert_non_null(strstr(buf_text(&none.err), "nobody is trusted"));
}

static void several_servers_started_at_once_apply_the_schema_once(void **state)
{
	(void)state;
	/* world_make() started all four on one empty database. */
	assert_int_equal(world_rows(&world, "schema_version"),
		sql_number(world.conninfo, "SELECT count(DISTINCT number) FROM schema_version"));
	assert_true(world_rows(&world, "schema_version") > 0);
	for (size_t i = 0; i < world.services_n; i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer;

		httpc_get(&world.services[i].peer, "/readyz", &answer);
		assert_int_equal(answer.status, 200);
	}
}

static void prepare(struct dialogue *x, const char *host)
{
	dialogue_init(x, &device, &world.services[0].peer, world.name, host);
	dialogue_keys(x, KEY_P384, AK_P256);
	dialogue_claim(x);
	assert_int_equal(dialogue_ticket(x), 200);
	assert_true(dialogue_activate(x));
	dialogue_prove(x);
}

static bool is_ready(void *arg)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;

	(void)arg;
	httpc_get(&world.services[0].peer, "/readyz", &answer);
	return answer.status == 200;
}

static void without_a_database_nothing_is_ready_and_the_service_recovers_by_itself(void **state)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;
	AUTO(dialogue_free) struct dialogue x;
	AUTO(mem_free) char *retry = NULL;

	(void)state;
	prepare(&x, "web-1.example.test");
	cluster_stop();
	httpc_get(&world.services[0].peer, "/readyz", &answer);
	assert_int_equal(answer.status, 503);
	assert_int_equal(dialogue_enroll(&x), 503);
	assert_string_equal(x.problem.code, "busy");
	retry = httpc_header(&x.last, "Retry-After");
	assert_non_null(retry);
	assert_in_range(strtol(retry, NULL, 10), 3, 10);
	cluster_start();
	assert_true(wait_until(is_ready, NULL, 20000));
	/* The same bytes, once the database is back. */
	assert_int_equal(dialogue_enroll(&x), 200);
	assert_int_equal(world_rows(&world, "certificate"), 1);
}

static bool is_draining(void *arg)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;

	(void)arg;
	httpc_get(&world.services[0].peer, "/healthz", &answer);
	return answer.status == 503;
}

static void a_service_told_to_stop_answers_what_is_in_flight_and_takes_nothing_new(void **state)
{
	AUTO(dialogue_free) struct dialogue x;
	struct inflight inflight;
	int status;

	(void)state;
	prepare(&x, "web-1.example.test");
	inflight_begin(&inflight, world.conninfo, INFLIGHT_TICKETS, &x);
	kill(world.services[0].pid, SIGTERM);
	assert_true(wait_until(is_draining, NULL, 5000));
	inflight_end(&inflight);
	assert_int_equal(x.last.status, 200);
	status = world_service_stop(&world, 0, SIGTERM);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	world_service_start(&world, 0);
}

static void every_event_is_one_line_with_a_priority_and_no_secret_in_it(void **state)
{
	AUTO(mem_free) char *log = world_log(&world, 0);

	(void)state;
	for (const char *line = log; *line != '\0'; line += strcspn(line, "\n") + 1) {
		assert_int_equal(line[0], '<');
		assert_int_equal(line[2], '>');
	}
	assert_non_null(strstr(log, ">service.started "));
	assert_non_null(strstr(log, " vendors=none "));
	assert_non_null(strstr(log, ">enroll.issued host=web-1.example.test device="));
	assert_null(strstr(log, world.secret));
	assert_null(strstr(log, world.token));
}

static void a_service_started_before_its_database_waits_for_it(void **state)
{
	struct world_service *service = &world.services[3];
	AUTO(mem_free) char *endorsed = text("%s/endorsed", ENDORSE_BIN_DIR);
	pid_t pid;
	AUTO(mem_free) char *log = text("%s/early.log", world.dir);

	(void)state;
	world_service_stop(&world, 3, SIGTERM);
	cluster_stop();
	pid = process_start(&(struct program){
		.argv = (const char *const[]){endorsed, "--config", service->config, NULL},
		.log = log});
	assert_true(wait_for_text(log, "database.waiting", 10000));
	cluster_start();
	assert_true(wait_for_text(log, "service.started", 20000));
	assert_int_equal(process_stop(&pid, SIGTERM), 0);
	world_service_start(&world, 3);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(a_right_configuration_has_nothing_wrong),
		cmocka_unit_test(every_problem_of_a_configuration_is_told_with_its_place),
		cmocka_unit_test(what_the_configuration_names_is_checked_too),
		cmocka_unit_test(the_vendors_alone_are_trust_enough_and_none_is_not),
		cmocka_unit_test(several_servers_started_at_once_apply_the_schema_once),
		cmocka_unit_test(
			without_a_database_nothing_is_ready_and_the_service_recovers_by_itself),
		cmocka_unit_test(
			a_service_told_to_stop_answers_what_is_in_flight_and_takes_nothing_new),
		cmocka_unit_test(every_event_is_one_line_with_a_priority_and_no_secret_in_it),
		cmocka_unit_test(a_service_started_before_its_database_waits_for_it),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
