/* test_held.c - the device tool at a service that holds its attempt until an admin decides. */
#include "tests/flow/supervise.h"
#include "tests/flow/tpmtool.h"
#include "tests/flow/verified.h"
#include "tests/flow/world.h"

#include "ca/base/file.h"

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOST "held.example.test"
#define ID "00112233445566778899aabbccddeeff"
#define TYPE "\"type\":\"urn:endorse:error:pending-approval\""
#define HELD                                                                                       \
	"{" TYPE                                                                                   \
	",\"title\":\"Waiting for approval\",\"status\":202,\"detail\":\"nobody vouches\","        \
	"\"reason\":\"rule any\",\"request_id\":\"r-1\",\"attempt\":\"" ID "\"}"
#define PROBLEM "application/problem+json"

static struct world world;

static int make(void **state)
{
	(void)state;
	world_make(
		&(struct world_plan){.chips = 1, .edge = true, .policy = world_any_name}, &world);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	return 0;
}

/* Stands before the edge: what it answers itself, by the number of the request to enroll. */
struct holder {
	int status; /* of what it answers itself */
	int port;
	char *server;
	pid_t pid;
};

static void holder_start(struct holder *holder, const char *type, const char *body,
	const char *held, const char *away)
{
	AUTO(mem_free) char *config = text("%s/holder.cfg", world.dir);
	AUTO(mem_free) char *answer = text("%s/holder.json", world.dir);
	AUTO(mem_free) char *log = text("%s/holder.log", world.dir);
	AUTO(mem_free) char *words = NULL;

	holder->port = free_port();
	holder->server = text("https://localhost:%d", holder->port);
	words = text(
		"defaults\n\tmode http\n\toption httpclose\n\ttimeout connect 5s\n\ttimeout client "
		"30s\n"
		"\ttimeout server 30s\n\ttimeout http-request 5s\n"
		"frontend holder\n\tbind 127.0.0.1:%d ssl crt %s/edge.pem\n"
		"\tacl enroll path /v1/enroll\n"
		"\thttp-request track-sc0 int(1) table asked if enroll\n"
		"\thttp-request sc-inc-gpc0(0) if enroll\n"
		"\thttp-request return status %d content-type %s file %s hdr Retry-After 5 "
		"if enroll { sc0_get_gpc0 %s }\n"
		"\thttp-request return status 503 hdr Retry-After 5 if enroll { sc0_get_gpc0 %s }\n"
		"\tdefault_backend edge\n"
		"backend asked\n\tstick-table type integer size 1 expire 1h store gpc0\n"
		"backend edge\n\tserver edge 127.0.0.1:%d ssl verify none\n",
		holder->port, world.dir, holder->status, type, answer, held, away, world.edge_port);
	write_file(config, 0644, view_str(words));
	write_file(answer, 0644, view_str(body));
	holder->pid = process_start(&(struct program){
		.log = log, .argv = (const char *const[]){"haproxy", "-db", "-f", config, NULL}});
	must(wait_until(httpc_listens, &holder->port, 10000), "haproxy does not listen: see %s",
		log);
}

static void holder_stop(struct holder *holder)
{
	process_stop(&holder->pid, SIGTERM);
	free(holder->server);
}

static void run(struct output *output, const struct holder *holder, const char *command,
	const char *dir, const char *more, const char *value)
{
	AUTO(mem_free) char *state = text("%s/%s", world.dir, dir);

	world_run(&world, output, "endorse", command, "--server", holder->server, "--service",
		world.name, "--ca", world.roots, "--tcti", world.chips[0].tcti, "--host", HOST,
		"--state", state, "--timeout", "0", more, value, NULL);
}

static void assert_told(const struct output *output, int code, const char *words)
{
	if (output->code != code || strstr(buf_text(&output->err), words) == NULL)
		fail_msg("%d, and no \"%s\" in:\n%s%s", output->code, words, buf_text(&output->out),
			buf_text(&output->err));
}

static char *file_text(const char *name)
{
	AUTO(mem_free) char *path = text("%s/held/%s", world.dir, name);
	AUTO(buf_free) struct buf content = BUF(1 << 16);

	assert_int_equal(file_read(path, &content), OK);
	return strdup(buf_text(&content));
}

static bool has_file(const char *name)
{
	AUTO(mem_free) char *path = text("%s/held/%s", world.dir, name);

	return access(path, F_OK) == 0;
}

static void an_attempt_that_is_held_is_no_enrollment_and_its_ak_is_kept(void **state)
{
	AUTO(holder_stop) struct holder holder = {.status = 202};
	AUTO(output_free) struct output first, second;
	AUTO(mem_free) char *made = NULL, *again = NULL;

	(void)state;
	holder_start(&holder, PROBLEM, HELD, "ge 1", "lt 0");
	run(&first, &holder, "enroll", "held", NULL, NULL);
	assert_told(&first, 8, "endorsectl pending show " ID "\n");
	assert_told(&first, 8, "nobody vouches");
	assert_true(has_file("ak.new.tss2.pem"));
	assert_false(has_file("ak.pem"));
	assert_false(has_file("enrollment"));
	made = file_text("ak.new.tss2.pem");
	/* Five seconds are more than there are. */
	run(&second, &holder, "enroll", "held", "--wait", "4s");
	assert_told(&second, 8, "endorsectl pending show " ID "\n");
	again = file_text("ak.new.tss2.pem");
	assert_string_equal(made, again);
	assert_nothing_left(world.chips[0].tcti);
}

/* Held, then away for a moment, then decided. */
static void it_goes_on_asking_with_the_same_ak_until_it_is_enrolled(void **state)
{
	AUTO(holder_stop) struct holder holder = {.status = 202};
	AUTO(output_free) struct output output;
	AUTO(mem_free) char *made = file_text("ak.new.tss2.pem"), *held = NULL;
	AUTO(mem_free) char *leaf = text("%s/held/ak.pem", world.dir);
	AUTO(mem_free) char *chain = text("%s/held/chain.pem", world.dir);

	(void)state;
	holder_start(&holder, PROBLEM, HELD, "eq 1", "eq 2");
	run(&output, &holder, "enroll", "held", "--wait", "5m");
	assert_told(&output, 0, "asking again in");
	assert_told(&output, 0, "HTTP 503");
	assert_true(is_verified(&world, leaf, chain));
	held = file_text("ak.tss2.pem");
	assert_string_equal(made, held);
	assert_false(has_file("ak.new.tss2.pem"));
	assert_nothing_left(world.chips[0].tcti);
}

static void assert_doctor(const char *body, const char *words)
{
	AUTO(mem_free) char *dir = text("%s/doctor", world.dir);
	AUTO(holder_stop) struct holder holder = {.status = 202};
	AUTO(output_free) struct output output;

	holder_start(&holder, PROBLEM, body, "ge 1", "lt 0");
	world_run(&world, &output, "endorse", "doctor", "--server", holder.server, "--service",
		world.name, "--ca", world.roots, "--tcti", world.chips[0].tcti, "--host", HOST,
		"--state", dir, NULL);
	assert_int_equal(output.code, 1);
	assert_int_equal(lines_of(&output, "FAIL"), 1);
	assert_true(has_line(&output, "FAIL policy", words));
}

/* A check is not held itself: there is an attempt only where an enrollment was. */
static void the_doctor_says_who_decides(void **state)
{
	(void)state;
	assert_doctor(HELD, "endorsectl pending show " ID);
	assert_doctor("{" TYPE ",\"detail\":\"nobody\"}", "endorsectl pending list");
}

/* A 202 that does not say what is held is somebody else's: nobody is told to wait for it. */
static void an_answer_that_holds_nothing_by_name_is_of_no_use(void **state)
{
	static const struct {
		const char *type, *body;
	} rows[] = {
		{"text/html", HELD},
		{PROBLEM, "{}"},
		{PROBLEM, "{" TYPE "}"},
		{PROBLEM, "{" TYPE ",\"attempt\":\"0011\"}"},
		{PROBLEM, "{" TYPE ",\"attempt\":\"A0112233445566778899aabbccddeeff\"}"},
		{PROBLEM, "{" TYPE ",\"attempt\":\"../../../../../../etc/passwd----\"}"},
		{PROBLEM, "{\"type\":\"urn:endorse:error:ticket-used\",\"attempt\":\"" ID "\"}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(holder_stop) struct holder holder = {.status = 202};
		AUTO(output_free) struct output output;

		holder_start(&holder, rows[i].type, rows[i].body, "ge 1", "lt 0");
		run(&output, &holder, "enroll", "nothing", "--wait", "1h");
		assert_told(&output, 5, "does not say what is pending");
	}
}

/* Too many wait already: nobody is away, and only the service's own words say so. */
static void a_limit_is_told_in_the_services_own_words(void **state)
{
	AUTO(holder_stop) struct holder holder = {.status = 429};
	AUTO(output_free) struct output output;

	(void)state;
	holder_start(&holder, PROBLEM,
		"{\"type\":\"urn:endorse:error:pending-limit\",\"detail\":\"1000 wait already\"}",
		"ge 1", "lt 0");
	run(&output, &holder, "enroll", "limit", NULL, NULL);
	assert_told(&output, 4, "HTTP 429: 1000 wait already");
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(an_attempt_that_is_held_is_no_enrollment_and_its_ak_is_kept),
		cmocka_unit_test(it_goes_on_asking_with_the_same_ak_until_it_is_enrolled),
		cmocka_unit_test(the_doctor_says_who_decides),
		cmocka_unit_test(an_answer_that_holds_nothing_by_name_is_of_no_use),
		cmocka_unit_test(a_limit_is_told_in_the_services_own_words),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
