/* test_attempts.c - what the engineer at the line sees of those who are refused. */
#include "tests/flow/cluster.h"
#include "tests/flow/supervise.h"
#include "tests/flow/visit.h"

#include "ca/base/file.h"
#include "enroll/proto/attempts.h"

#include <cmocka.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static const char policy[] = "rules:\n"
			     "  - name: rsa-only\n"
			     "    hosts: [{glob: \"rsa-*.example.test\"}]\n"
			     "    ek_kinds: [rsa2048]\n"
			     "    templates: [ak]\n"
			     "  - name: any\n"
			     "    hosts: [{glob: \"web-*.example.test\"}]\n"
			     "    templates: [ak]\n";

static struct world world;
static char *admin, *token_file;

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.chips = 2, .services = 2, .policy = policy}, &world);
	admin = text("http://127.0.0.1:%d", world.services[0].admin_port);
	token_file = text("%s/admin.token", world.dir);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	free(admin);
	free(token_file);
	world_free(&world);
	return 0;
}

#define ATTEMPTS(output, ...)                                                                      \
	world_run(&world, output, "endorsectl", "attempts", "--admin", admin, "--token-file",      \
		token_file, ##__VA_ARGS__, NULL)

static void enroll_as(
	size_t chip, const char *host, enum key_kind kind, int status, const char *code)
{
	AUTO(visit_end) struct visit visit;

	visit_begin(&visit, &world, chip, 0, host, kind);
	assert_int_equal(dialogue_run(&visit.dialogue), status);
	if (status != 200)
		assert_string_equal(visit.dialogue.problem.code, code);
}

/* One bit of the proof is another: nobody has proven anything. */
static void fail_to_prove(void)
{
	AUTO(visit_end) struct visit visit;
	struct dialogue *x = &visit.dialogue;

	visit_begin(&visit, &world, 0, 0, "web-1.example.test", KEY_RSA_2048);
	dialogue_claim(x);
	assert_int_equal(dialogue_ticket(x), 200);
	assert_true(dialogue_activate(x));
	dialogue_prove(x);
	x->proof[0] ^= 1;
	assert_int_equal(dialogue_enroll(x), 401);
	assert_string_equal(x->problem.code, "proof-invalid");
	x->challenge.ticket.p[30] ^= 1;
	assert_int_equal(dialogue_enroll(x), 401);
	assert_string_equal(x->problem.code, "ticket-invalid");
}

static size_t count(const struct buf *buf, const char *what)
{
	size_t n = 0;

	for (const char *at = buf_text(buf); (at = strstr(at, what)) != NULL; at++)
		n++;
	return n;
}

static void wants(const struct output *output, const char *what)
{
	if (strstr(buf_text(&output->out), what) == NULL)
		fail_msg("no \"%s\" in:\n%s%s", what, buf_text(&output->out),
			buf_text(&output->err));
}

static void before_anybody_came_there_is_nothing_but_counters(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	ATTEMPTS(&output);
	assert_int_equal(output.code, 0);
	assert_int_equal(count(&output.out, "\n"), 1);
	wants(&output, "0 tickets; 0 issued, 0 returned, 0 repeated; 0 refused");
}

static void each_refusal_is_told_with_its_reason_and_what_to_do(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	enroll_as(0, "web-1.example.test", KEY_RSA_2048, 200, NULL);
	enroll_as(0, "stranger.elsewhere.org", KEY_RSA_2048, 403, "name-not-allowed");
	enroll_as(1, "rsa-1.example.test", KEY_P384, 403, "ek-kind-not-allowed");
	enroll_as(1, "web-1.example.test", KEY_RSA_2048, 409, "host-bound-to-another-device");
	enroll_as(0, "web-2.example.test", KEY_RSA_2048, 409, "device-bound-to-another-host");
	ATTEMPTS(&output);
	assert_int_equal(output.code, 0);
	wants(&output, "  stranger.elsewhere.org            name-not-allowed\n");
	wants(&output, "    from 127.0.0.1, device ");
	wants(&output, "    from 127.0.0.1, a TPM that is not known here\n");
	wants(&output, "    no rule lets \"stranger.elsewhere.org\" enroll here");
	wants(&output, "    -> add the name to a rule's hosts in policy.yaml");
	wants(&output, "  rsa-1.example.test                ek-kind-not-allowed\n");
	wants(&output, "  web-1.example.test                host-bound-to-another-device\n");
	wants(&output, "  web-2.example.test                device-bound-to-another-host\n");
	wants(&output, "5 tickets; 1 issued, 0 returned, 0 repeated; 4 refused");
	for (const char *line = buf_text(&output.out); *line != '\0';
		line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 120);
}

static void what_proved_nothing_is_counted_by_reason_and_is_no_row(void **state)
{
	AUTO(output_free) struct output output, only;

	(void)state;
	fail_to_prove();
	assert_int_equal(sql_number(world.conninfo,
				 "SELECT count(*) FROM audit WHERE event = 'enroll.refused'"),
		4);
	ATTEMPTS(&output);
	wants(&output, "unproven: proof-invalid 1, ticket-invalid 1\n");
	wants(&output, "  -                                 proof-invalid\n");
	wants(&output, "    from 127.0.0.1, turned away before it had proven anything\n");
	ATTEMPTS(&only, "--json", "--reason", "proof-invalid");
	assert_int_equal(only.code, 0);
	assert_non_null(strstr(buf_text(&only.err), "only this server's own can be shown"));
	assert_int_equal(count(&only.out, "{\"stranger\":{"), 1);
	assert_int_equal(count(&only.out, "\"reason\":\"proof-invalid\",\"sentence\""), 1);
}

static void reason_and_host_pick_rows(void **state)
{
	static const struct {
		const char *option, *value;
		size_t rows;
	} rows[] = {
		{"--reason", "name-not-allowed", 1},
		{"--host", "web-*", 2},
		{"--host", "WEB-*.Example.test", 2},
		{"--host", "*.org", 1},
		{"--host", "web-1.example.test", 1},
		{"--host", "web", 0},
		{"--host", "%", 0},
		{"--host", "web-_.example.test", 0},
		{"--host", "' OR '1'='1", 0},
		{"--host", "'; DROP TABLE audit; --", 0},
		{"--host", "*&limit=1", 0},
		{"--since", "1h", 4},
		{"--last", "3", 3},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(output_free) struct output output;

		ATTEMPTS(&output, "--json", rows[i].option, rows[i].value);
		if (output.code != 0 || count(&output.out, "{\"id\":") != rows[i].rows)
			fail_msg("%s %s: exit %d, wanted %zu rows:\n%s%s", rows[i].option,
				rows[i].value, output.code, rows[i].rows, buf_text(&output.out),
				buf_text(&output.err));
		assert_int_equal(count(&output.out, "\n"),
			rows[i].rows + count(&output.out, "{\"stranger\":{") + 1);
		assert_int_equal(count(&output.out, "{\"counters\":{"), 1);
	}
}

static void misuse_is_told_and_a_wrong_token_is_refused(void **state)
{
	static const char *const wrong[][2] = {{"--since", "1"}, {"--since", "1y"},
		{"--since", "-1h"}, {"--last", "0"}, {"--last", "10001"}, {"--nonsense", "1"}};
	AUTO(mem_free) char *other = text("%s/edge.secret", world.dir);
	AUTO(output_free) struct output refused;

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		AUTO(output_free) struct output output;

		ATTEMPTS(&output, wrong[i][0], wrong[i][1]);
		assert_int_equal(output.code, 2);
		/* Also what is wrong, before how it is done. */
		assert_true(strncmp(buf_text(&output.err), "usage", 5) != 0);
	}
	world_run(&world, &refused, "endorsectl", "attempts", "--follow", "--admin", admin,
		"--token-file", other, NULL);
	assert_int_equal(refused.code, 5);
	assert_non_null(strstr(buf_text(&refused.err), "token-unknown"));
}

static void no_parameter_is_taken_that_the_path_does_not_have(void **state)
{
	static const struct {
		const char *path, *code;
		int status;
	} rows[] = {
		{"/v1/admin/attempts?x=1", "query-unknown", 400},
		{"/v1/admin/attempts?limit", "query", 400},
		{"/v1/admin/attempts?limit=%2", "query", 400},
		{"/v1/admin/attempts?limit=1&limit=1", "query", 400},
		{"/v1/admin/attempts?limit=0", "query-value", 400},
		{"/v1/admin/attempts?limit=1001", "query-value", 400},
		{"/v1/admin/attempts?limit=1x", "query-value", 400},
		{"/v1/admin/attempts?after=-1", "query-value", 400},
		{"/v1/admin/attempts?after=9999999999999999999", "query-value", 400},
		{"/v1/admin/attempts?after=1&before=2", "query-value", 400},
		{"/v1/admin/attempts?reason=%0a", "query-value", 400},
		{"/v1/admin/strangers?after=-1", "query-value", 400},
		{"/v1/admin/strangers?before=1", "query-unknown", 400},
		{"/v1/admin/doctor?limit=1", "route-unknown", 404},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer;
		struct problem problem = {0};

		httpc_get(&world.services[0].admin, rows[i].path, &answer);
		assert_int_equal(problem_parse(buf_view(&answer.body), &problem), OK);
		if (answer.status != rows[i].status || strcmp(problem.code, rows[i].code) != 0)
			fail_msg("%s: %d %s", rows[i].path, answer.status, problem.code);
	}
}

static void no_answer_carries_an_ek_and_without_the_token_there_is_none(void **state)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;
	AUTO(mem_free)
	char *digest = sql_text(world.conninfo, "SELECT encode(ek_digest, 'hex') FROM ek LIMIT 1");
	AUTO(mem_free) char *log = NULL;
	const struct httpc_peer nobody = {.port = world.services[0].admin_port};
	static const char *const paths[] = {"/v1/admin/attempts", "/v1/admin/strangers"};

	(void)state;
	httpc_get(&world.services[0].admin, "/v1/admin/attempts?limit=1000", &answer);
	assert_int_equal(answer.status, 200);
	assert_int_equal(strlen(digest), 64);
	assert_null(strstr(buf_text(&answer.body), digest));
	for (size_t i = 0; i < COUNT(paths); i++) {
		AUTO(httpc_answer_free) struct httpc_answer refused;

		httpc_get(&nobody, paths[i], &refused);
		assert_int_equal(refused.status, 401);
	}
	log = world_log(&world, 0);
	assert_non_null(strstr(log, ">attempts.refused reason=credential-missing "));
	assert_null(strstr(log, ">attempts.done"));
}

static void what_a_device_wrote_does_not_reach_the_terminal_as_it_is(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	free(sql_text(world.conninfo,
		"INSERT INTO audit (at, event, host, code, detail) VALUES (now(), 'enroll.refused',"
		" E'\\x1b[2Jevil.example.test', 'host-name', E'\\x1b]0;owned\\x07 \\n fake "
		"line')"));
	ATTEMPTS(&output, "--reason", "host-name");
	assert_int_equal(output.code, 0);
	wants(&output, "?[2Jevil.example.test");
	assert_null(strchr(buf_text(&output.out), '\x1b'));
	assert_null(strchr(buf_text(&output.out), '\x07'));
	wants(&output, "?]0;owned? ? fake line");
}

/* endorsectl attempts --follow with what it writes in a file, as a pipe would have it. */
struct follower {
	pid_t pid;
	char *log;
};

static void follow(struct follower *follower, const char *name)
{
	AUTO(mem_free) char *endorsectl = text("%s/endorsectl", ENDORSE_BIN_DIR);

	follower->log = text("%s/%s.log", world.dir, name);
	follower->pid = process_start(&(struct program){.log = follower->log,
		.argv = (const char *const[]){endorsectl, "attempts", "--follow", "--admin", admin,
			"--token-file", token_file, NULL}});
}

struct awaited {
	const char *path, *what;
	size_t n;
};

static bool is_written(void *arg)
{
	const struct awaited *awaited = arg;
	AUTO(buf_free) struct buf content = BUF(1 << 20);

	return file_read(awaited->path, &content) == OK &&
	       count(&content, awaited->what) >= awaited->n;
}

static bool shows(const struct follower *follower, const char *what, size_t n, int timeout_ms)
{
	return wait_until(is_written, &(struct awaited){follower->log, what, n}, timeout_ms);
}

static void unfollow(struct follower *follower, int signal)
{
	int status = process_stop(&follower->pid, signal);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	free(follower->log);
}

static size_t written(const struct follower *follower, const char *what)
{
	AUTO(buf_free) struct buf content = BUF(1 << 20);

	assert_int_equal(file_read(follower->log, &content), OK);
	return count(&content, what);
}

static void a_new_refusal_is_shown_within_two_seconds_and_once(void **state)
{
	struct follower follower;

	(void)state;
	follow(&follower, "follow-1");
	assert_true(shows(&follower, "this server since", 1, 10000));
	assert_int_equal(written(&follower, "name-not-allowed\n"), 1); /* of those there were */
	enroll_as(0, "another.elsewhere.org", KEY_RSA_2048, 403, "name-not-allowed");
	assert_true(shows(&follower, "  another.elsewhere.org", 1, 2000));
	enroll_as(0, "third.elsewhere.org", KEY_RSA_2048, 403, "name-not-allowed");
	assert_true(shows(&follower, "  third.elsewhere.org", 1, 2000));
	assert_int_equal(written(&follower, "  another.elsewhere.org"), 1);
	unfollow(&follower, SIGINT);
}

/* A refusal has got its id, and is not committed. */
static PGconn *write_late(void)
{
	PGconn *writer = PQconnectdb(world.conninfo);

	PQclear(PQexec(writer, "BEGIN"));
	PQclear(PQexec(writer,
		"WITH first AS (INSERT INTO refusal VALUES (sha256('late'), now()) RETURNING 1)"
		" INSERT INTO audit (at, event, host, code) SELECT now(), 'enroll.refused',"
		" 'late.example.test', 'ek-expired' WHERE EXISTS (SELECT FROM first)"));
	assert_int_equal(PQtransactionStatus(writer), PQTRANS_INTRANS);
	return writer;
}

static void a_row_that_is_committed_late_is_not_missed(void **state)
{
	struct follower follower;
	PGconn *writer;

	(void)state;
	follow(&follower, "follow-2");
	assert_true(shows(&follower, "this server since", 1, 10000));
	writer = write_late();
	enroll_as(0, "early.elsewhere.org", KEY_RSA_2048, 403, "name-not-allowed");
	assert_true(shows(&follower, "  early.elsewhere.org", 1, 2000));
	enroll_as(0, "later.elsewhere.org", KEY_RSA_2048, 403, "name-not-allowed");
	assert_true(shows(&follower, "  later.elsewhere.org", 1, 2000));
	PQclear(PQexec(writer, "COMMIT"));
	PQfinish(writer);
	assert_true(shows(&follower, "  late.example.test", 1, 2000));
	assert_true(sql_number(world.conninfo,
			    "SELECT id FROM audit WHERE host = 'late.example.test'") <
		    sql_number(world.conninfo,
			    "SELECT id FROM audit WHERE host = 'early.elsewhere.org'"));
	assert_int_equal(written(&follower, "  early.elsewhere.org"), 1);
	unfollow(&follower, SIGTERM);
}

static void a_service_that_goes_away_is_waited_for(void **state)
{
	struct follower follower;

	(void)state;
	follow(&follower, "follow-3");
	assert_true(shows(&follower, "this server since", 1, 10000));
	world_service_stop(&world, 0, SIGTERM);
	assert_true(shows(&follower, "trying again", 1, 5000));
	/* The other server goes on refusing meanwhile, into the same audit. */
	{
		AUTO(visit_end) struct visit visit;

		visit_begin(&visit, &world, 0, 1, "meanwhile.elsewhere.org", KEY_RSA_2048);
		assert_int_equal(dialogue_run(&visit.dialogue), 403);
	}
	world_service_start(&world, 0);
	assert_true(shows(&follower, "the service answers again", 1, 5000));
	assert_true(shows(&follower, "  meanwhile.elsewhere.org", 1, 5000));
	assert_int_equal(written(&follower, "trying again"), 1);
	unfollow(&follower, SIGINT);
}

static void one_that_starts_before_its_service_waits_too(void **state)
{
	struct follower follower;

	(void)state;
	world_service_stop(&world, 0, SIGTERM);
	follow(&follower, "follow-4");
	assert_true(shows(&follower, "trying again", 1, 5000));
	world_service_start(&world, 0);
	assert_true(shows(&follower, "this server since", 1, 5000));
	unfollow(&follower, SIGINT);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(before_anybody_came_there_is_nothing_but_counters),
		cmocka_unit_test(each_refusal_is_told_with_its_reason_and_what_to_do),
		cmocka_unit_test(what_proved_nothing_is_counted_by_reason_and_is_no_row),
		cmocka_unit_test(reason_and_host_pick_rows),
		cmocka_unit_test(misuse_is_told_and_a_wrong_token_is_refused),
		cmocka_unit_test(no_parameter_is_taken_that_the_path_does_not_have),
		cmocka_unit_test(no_answer_carries_an_ek_and_without_the_token_there_is_none),
		cmocka_unit_test(what_a_device_wrote_does_not_reach_the_terminal_as_it_is),
		cmocka_unit_test(a_new_refusal_is_shown_within_two_seconds_and_once),
		cmocka_unit_test(a_row_that_is_committed_late_is_not_missed),
		cmocka_unit_test(a_service_that_goes_away_is_waited_for),
		cmocka_unit_test(one_that_starts_before_its_service_waits_too),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
