/* test_herd.c - more devices at once than are served: the edge tells when to come again, and all are enrolled. */
#include "tests/flow/cluster.h"
#include "tests/flow/soft_enroll.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEVICES 48
#define TRIES 40 /* of one device, before it is given up */
#define FLEET 2400 /* devices of another herd, half of which come at once */

static struct world world;
static struct soft_device devices[DEVICES];
static pthread_barrier_t start;

/* What one device heard. */
struct heard {
	pthread_t thread;
	size_t n; /* which */
	unsigned later; /* 503 for a ticket */
	unsigned late; /* 503 for what has a ticket */
	int shortest, longest; /* Retry-After */
	int status;
	char code[64];
};
static struct heard heard[DEVICES];

static char *fleet;

/* Before the world, which is to believe in its manufacturer; for free(). */
static char *make_fleet(void)
{
	AUTO(mem_free) char *number = text("%d", FLEET);
	AUTO(mem_free) char *maker = text("%s/fleet-maker", supervise_dir());
	AUTO(mem_free) char *bench = text("%s/endorse-bench", ENDORSE_BIN_DIR);

	fleet = text("%s/fleet", supervise_dir());
	MUST_RUN(bench, "fleet", "--devices", number, "--mix", "p256:1", "--out", fleet, "--roots",
		maker);
	return text("  - name: fleet\n    class: manufacturer\n"
		    "    roots: %s/roots\n    intermediates: %s/intermediates\n",
		maker, maker);
}

static int make(void **state)
{
	/* One request at a time, and few that wait. */
	static const char *const env[] = {
		"ENDORSE_BACKEND_MAXCONN=1", "ENDORSE_EDGE_QUEUE=4", NULL};
	AUTO(mem_free) char *more = make_fleet();

	(void)state;
	world_make(&(struct world_plan){.chips = 1,
			   .edge = true,
			   .edge_env = env,
			   .policy = world_any_name,
			   .more = more},
		&world);
	for (size_t i = 0; i < DEVICES; i++) {
		AUTO(mem_free) char *host = text("herd-%zu.example.test", i);

		soft_device_make(&(struct soft_plan){.ek = SOFT_L2,
					 .ak = SOFT_P256,
					 .service = world.name,
					 .host = host},
			&world.maker, &devices[i]);
	}
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	for (size_t i = 0; i < DEVICES; i++)
		soft_device_free(&devices[i]);
	free(fleet);
	world_free(&world);
	return 0;
}

/* As PROTOCOL.md has it: what was said, and a half to a whole second more. */
static void wait_as_told(struct heard *device, int seconds)
{
	if (device->shortest == 0 || seconds < device->shortest)
		device->shortest = seconds;
	if (seconds > device->longest)
		device->longest = seconds;
	usleep((useconds_t)(seconds * 1000000 + 500000 + (int)(device->n * 10007 % 500000)));
}

static void *come(void *arg)
{
	struct heard *device = arg;

	pthread_barrier_wait(&start);
	for (unsigned i = 0; i < TRIES && device->status != 200; i++) {
		AUTO(soft_outcome_free) struct soft_outcome outcome;

		soft_enroll(&devices[device->n], &world.front, world.name, &outcome);
		device->status = outcome.status;
		snprintf(device->code, sizeof(device->code), "%s", outcome.code);
		if (outcome.status == 200)
			break;
		if (outcome.status != 503 || outcome.retry_after < 1)
			break;
		device->later += !outcome.has_ticket;
		device->late += outcome.has_ticket;
		wait_as_told(device, outcome.retry_after);
	}
	return NULL;
}

static void a_herd_is_told_when_to_come_and_all_of_it_is_enrolled(void **state)
{
	unsigned sent_away = 0;
	int longest = 0;

	(void)state;
	pthread_barrier_init(&start, NULL, DEVICES);
	for (size_t i = 0; i < DEVICES; i++) {
		heard[i].n = i;
		must(pthread_create(&heard[i].thread, NULL, come, &heard[i]) == 0,
			"pthread_create");
	}
	for (size_t i = 0; i < DEVICES; i++) {
		pthread_join(heard[i].thread, NULL);
		if (heard[i].status != 200)
			fail_msg("device %zu: %d %s", i, heard[i].status, heard[i].code);
		/* Who has a ticket goes before all who want one. */
		assert_int_equal(heard[i].late, 0);
		assert_in_range(heard[i].longest, 0, 121);
		sent_away += heard[i].later;
		if (heard[i].longest > longest)
			longest = heard[i].longest;
	}
	pthread_barrier_destroy(&start);
	printf("%d devices at once: %u times sent away, for %d s at most\n", DEVICES, sent_away,
		longest);
	assert_true(sent_away > 0);
	assert_int_equal(world_rows(&world, "certificate"), DEVICES);
}

static void restart_edge(const char *const *env)
{
	world_edge_stop(&world);
	world.plan.edge_env = env;
	world_edge_start(&world);
}

/* Half of the fleet enrolls, from `first` on; for json_decref(). */
static json_t *half_enrolls(const char *first, const char *how, const char *how_much)
{
	AUTO(mem_free) char *bench = text("%s/endorse-bench", ENDORSE_BIN_DIR);
	AUTO(mem_free) char *half = text("%d", FLEET / 2);
	AUTO(output_free) struct output output = {0};
	json_t *figures;

	process_run(&(struct program){.argv = (const char *const[]){bench, "enroll", "--url",
					      world.name, "--ca", world.roots, "--fleet", fleet,
					      "--devices", half, "--first", first, how, how_much,
					      "--json", "-", NULL},
			    .timeout_ms = 120000},
		&output);
	figures = json_loads(buf_text(&output.out), 0, NULL);
	if (output.code != 0 || figures == NULL)
		fail_msg("exit %d:\n%s%s", output.code, buf_text(&output.out),
			buf_text(&output.err));
	return figures;
}

static double seconds_of(const json_t *figures)
{
	return json_number_value(json_object_get(figures, "seconds"));
}

static double times_sent_away(const json_t *figures)
{
	return json_number_value(
		json_object_get(json_object_get(figures, "retried"), "service-unavailable"));
}

/* What a row is for: the service has work as long as there is somebody, and nobody comes again and again. */
static void the_service_never_idles_while_a_herd_waits(void **state)
{
	static const char *const env[] = {"ENDORSE_BACKEND_MAXCONN=4", "ENDORSE_EDGE_QUEUE=40",
		"ENDORSE_EDGE_SOURCE_RATE=100000", "ENDORSE_EDGE_SOURCE_CONN=4000", NULL};
	AUTO(mem_free) char *other_half = text("%d", FLEET / 2);
	json_t *queue, *herd;
	double wanted;

	(void)state;
	restart_edge(env);
	queue = half_enrolls("0", "--connections", "32");
	herd = half_enrolls(other_half, "--herd", "0.2s");
	/* The soonest moment is that of a second, to which each adds up to one. */
	wanted = 2 * seconds_of(queue) + 3;
	printf("%d devices: %.1f s one after the other, %.1f s as a herd, sent away %.0f times\n",
		FLEET / 2, seconds_of(queue), seconds_of(herd), times_sent_away(herd));
	assert_true(times_sent_away(queue) == 0);
	assert_true(times_sent_away(herd) > 0);
	assert_true(times_sent_away(herd) < 3 * FLEET / 2);
	if (seconds_of(herd) > wanted)
		fail_msg("the herd took %.1f s, wanted at most %.1f s", seconds_of(herd), wanted);
	json_decref(queue);
	json_decref(herd);
}

/* Nobody is served but who was told a moment, and comes after it on the same connection. The row is 5 s long. */
static void the_agent_enrolls(struct output *output, const char *host, const char *timeout)
{
	static const char *const env[] = {"ENDORSE_EDGE_QUEUE=0", NULL};
	AUTO(mem_free) char *dir = text("%s/%s", world.dir, host);
	AUTO(mem_free) char *answer = NULL;

	restart_edge(env);
	answer = world_edge_says(
		&world, "experimental-mode on; set var proc.row expr date(0,us),add(5000000)");
	assert_int_equal(strspn(answer, "\n"), strlen(answer));
	world_run(&world, output, "endorse", "enroll", "--server", world.name, "--ca", world.roots,
		"--host", host, "--state", dir, "--tcti", world.chips[0].tcti, "--timeout", timeout,
		NULL);
}

static void the_agent_comes_when_it_was_told_and_on_the_same_connection(void **state)
{
	AUTO(output_free) struct output output;
	const char *away;
	int64_t began = now_ms();

	(void)state;
	the_agent_enrolls(&output, "patient.example.test", "60");
	away = strstr(buf_text(&output.err), "HTTP 503; trying again in ");
	if (output.code != 0 || away == NULL || strstr(away + 1, "HTTP 503") != NULL)
		fail_msg("exit %d:\n%s", output.code, buf_text(&output.err));
	/* Told 4 s at most, and 3 at least unless this machine slept between. */
	assert_in_range(strtol(strstr(away, " in ") + 4, NULL, 10), 1, 5);
	assert_true((now_ms() - began) / 1000 >= strtol(strstr(away, " in ") + 4, NULL, 10));
}

static void the_agent_does_not_wait_beyond_its_timeout(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	the_agent_enrolls(&output, "hurried.example.test", "2");
	assert_int_not_equal(output.code, 0);
	if (strstr(buf_text(&output.err), "the service asked to come back later") == NULL)
		fail_msg("exit %d:\n%s", output.code, buf_text(&output.err));
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(a_herd_is_told_when_to_come_and_all_of_it_is_enrolled),
		cmocka_unit_test(the_service_never_idles_while_a_herd_waits),
		cmocka_unit_test(the_agent_comes_when_it_was_told_and_on_the_same_connection),
		cmocka_unit_test(the_agent_does_not_wait_beyond_its_timeout),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
