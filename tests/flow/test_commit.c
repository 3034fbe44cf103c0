/* test_commit.c - two trips to the database, and what is left when death comes between commit and
 * answer. */
#include "ca/base/encode.h"
#include "tests/flow/cluster.h"
#include "tests/flow/dialogue.h"
#include "tests/flow/pglink.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static struct world world;
static struct device devices[3];

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.chips = 3, .services = 2, .edge = true, .pgproxy = true},
		&world);
	for (size_t i = 0; i < COUNT(devices); i++)
		device_open(&devices[i], world.chips[i].tcti);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(devices); i++)
		device_close(&devices[i]);
	world_free(&world);
	return 0;
}

static void begin(struct dialogue *x, size_t device, const char *host)
{
	dialogue_init(x, &devices[device], &world.services[0].peer, world.name, host);
	dialogue_keys(x, KEY_RSA_2048, AK_P256);
}

static void prepare(struct dialogue *x)
{
	dialogue_claim(x);
	assert_int_equal(dialogue_ticket(x), 200);
	assert_true(dialogue_activate(x));
	dialogue_prove(x);
}

static void an_enrollment_that_succeeds_makes_two_trips_to_the_database(void **state)
{
	AUTO(dialogue_free) struct dialogue warm, counted;

	(void)state;
	begin(&warm, 0, "web-warm.example.test");
	assert_int_equal(dialogue_run(&warm), 200);
	begin(&counted, 1, "web-counted.example.test");
	dialogue_claim(&counted);
	pgproxy_reset(world.pgproxy);
	assert_int_equal(dialogue_ticket(&counted), 200);
	/* The first request asks no database at all. */
	assert_true(pgproxy_trips_are(world.pgproxy, 0));
	assert_true(dialogue_activate(&counted));
	dialogue_prove(&counted);
	assert_int_equal(dialogue_enroll(&counted), 200);
	assert_true(pgproxy_trips_are(world.pgproxy, 2));
	assert_int_equal(pgproxy_count(world.pgproxy, 'Q'), 0);
	/* Whatever is parsed is parsed when a connection is new. */
	assert_int_equal(pgproxy_count(world.pgproxy, PGLINK_PARSED_LATE), 0);
}

/* Both, for the edge may have chosen either. */
static void kill_services(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < world.services_n; i++)
		kill(world.services[i].pid, SIGKILL);
}

static void revive(void)
{
	for (size_t i = 0; i < world.services_n; i++) {
		world_service_stop(&world, i, SIGKILL);
		world_service_start(&world, i);
	}
}

static bool has_sprung(void *arg)
{
	(void)arg;
	return pgproxy_sprung(world.pgproxy);
}

static long certificates_of(const char *host)
{
	return sql_number(
		world.conninfo, "SELECT count(*) FROM certificate WHERE host = '%s'", host);
}

static void death_after_commit_and_before_the_answer_loses_and_doubles_nothing(void **state)
{
	AUTO(dialogue_free) struct dialogue x;
	AUTO(buf_free) struct buf got = BUF(LIMIT_ANSWER);
	AUTO(mem_free) char *recorded = NULL;

	(void)state;
	begin(&x, 2, "web-killed.example.test");
	prepare(&x);
	pgproxy_trap(
		world.pgproxy, PGPROXY_AFTER_COMMIT, "INSERT INTO ticket", kill_services, NULL);
	assert_int_not_equal(dialogue_enroll(&x), 200);
	/* The connection may end before the trap has said so. */
	assert_true(wait_until(has_sprung, NULL, 10000));
	assert_int_equal(certificates_of("web-killed.example.test"), 1);
	revive();
	/* The device repeats the same bytes. */
	assert_int_equal(dialogue_enroll(&x), 200);
	dialogue_open(&x);
	assert_int_equal(certificates_of("web-killed.example.test"), 1);
	recorded = sql_text(world.conninfo, "SELECT encode(der, 'hex') FROM certificate WHERE host "
					    "= 'web-killed.example.test'");
	hex_add(&got, x.answer->certificates[0].der);
	assert_string_equal(buf_text(&got), recorded);
}

static void death_before_commit_leaves_nothing_and_the_repeat_enrolls(void **state)
{
	AUTO(dialogue_free) struct dialogue x;

	(void)state;
	begin(&x, 2, "web-killed.example.test");
	prepare(&x);
	pgproxy_trap(
		world.pgproxy, PGPROXY_BEFORE_COMMIT, "INSERT INTO ticket", kill_services, NULL);
	assert_int_not_equal(dialogue_enroll(&x), 200);
	/* The connection may end before the trap has said so. */
	assert_true(wait_until(has_sprung, NULL, 10000));
	assert_int_equal(certificates_of("web-killed.example.test"), 1);
	revive();
	assert_int_equal(dialogue_enroll(&x), 200);
	assert_int_equal(certificates_of("web-killed.example.test"), 2);
}

static const char *tool_state = "tool";

static void *run_tool(void *arg)
{
	AUTO(mem_free) char *dir = text("%s/%s", world.dir, tool_state);

	world_run(&world, arg, "endorse", "enroll", "--server", world.name, "--ca", world.roots,
		"--tcti", world.chips[0].tcti, "--host", "web-warm.example.test", "--state", dir,
		"--timeout", "60", NULL);
	return NULL;
}

static void the_device_tool_gets_over_such_a_death_by_itself(void **state)
{
	AUTO(output_free) struct output output;
	pthread_t tool;
	long before;

	(void)state;
	before = certificates_of("web-warm.example.test");
	pgproxy_trap(
		world.pgproxy, PGPROXY_AFTER_COMMIT, "INSERT INTO ticket", kill_services, NULL);
	assert_int_equal(pthread_create(&tool, NULL, run_tool, &output), 0);
	assert_true(wait_until(has_sprung, NULL, 30000));
	revive();
	pthread_join(tool, NULL);
	if (output.code != 0)
		fail_msg("%s", buf_text(&output.err));
	assert_int_equal(certificates_of("web-warm.example.test"), before + 1);
}

/* Another key, as after a rotation: whatever ticket is under way does not open any more. */
static void change_ticket_key(void)
{
	AUTO(mem_free) char *path = text("%s/ticket.key", world.dir);
	AUTO(mem_free) char *digits = text("%s", world.token);

	write_file(path, 0600, view_str(digits));
}

static void the_device_tool_begins_again_when_its_ticket_does_not_open_any_more(void **state)
{
	AUTO(output_free) struct output output;
	pthread_t tool;

	(void)state;
	tool_state = "tool-again";
	pgproxy_trap(
		world.pgproxy, PGPROXY_BEFORE_COMMIT, "INSERT INTO ticket", kill_services, NULL);
	assert_int_equal(pthread_create(&tool, NULL, run_tool, &output), 0);
	assert_true(wait_until(has_sprung, NULL, 30000));
	change_ticket_key();
	revive();
	pthread_join(tool, NULL);
	if (output.code != 0)
		fail_msg("%s", buf_text(&output.err));
	assert_non_null(strstr(buf_text(&output.err), "the ticket is not good any more"));
}

#define REPEATS 50

static pthread_barrier_t start;

struct repeat {
	const struct dialogue *original;
	const struct httpc_peer *peer;
	int status;
	struct buf sealed;
};

static void *repeat(void *arg)
{
	struct repeat *one = arg;
	AUTO(httpc_answer_free) struct httpc_answer answer;
	AUTO(buf_free) struct buf body = BUF(LIMIT_ENROLL_BODY);

	dialogue_enroll_body(one->original, &body);
	pthread_barrier_wait(&start);
	httpc_post(one->peer, "/v1/enroll", buf_view(&body), &answer);
	one->status = answer.status;
	one->sealed = BUF(LIMIT_ANSWER);
	if (answer.status == 200 && sealed_parse(buf_view(&answer.body), &one->sealed) != OK)
		one->status = -1;
	return NULL;
}

static void fifty_identical_requests_at_once_to_two_servers_get_one_certificate_under_fifty_seals(
	void **state)
{
	AUTO(dialogue_free) struct dialogue x;
	struct repeat all[REPEATS];
	pthread_t threads[REPEATS];

	(void)state;
	begin(&x, 1, "web-counted.example.test");
	prepare(&x);
	pthread_barrier_init(&start, NULL, REPEATS);
	for (size_t i = 0; i < REPEATS; i++) {
		all[i].original = &x;
		all[i].peer = &world.services[i % 2].peer;
		assert_int_equal(pthread_create(&threads[i], NULL, repeat, &all[i]), 0);
	}
	for (size_t i = 0; i < REPEATS; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < REPEATS; i++) {
		assert_int_equal(all[i].status, 200);
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(all[i].sealed.p, all[k].sealed.p, AEAD_NONCE_SIZE);
	}
	for (size_t i = 0; i < REPEATS; i++)
		buf_free(&all[i].sealed);
	assert_int_equal(certificates_of("web-counted.example.test"), 2);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(an_enrollment_that_succeeds_makes_two_trips_to_the_database),
		cmocka_unit_test(
			death_after_commit_and_before_the_answer_loses_and_doubles_nothing),
		cmocka_unit_test(death_before_commit_leaves_nothing_and_the_repeat_enrolls),
		cmocka_unit_test(the_device_tool_gets_over_such_a_death_by_itself),
		cmocka_unit_test(
			the_device_tool_begins_again_when_its_ticket_does_not_open_any_more),
		cmocka_unit_test(
			fifty_identical_requests_at_once_to_two_servers_get_one_certificate_under_fifty_seals),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
