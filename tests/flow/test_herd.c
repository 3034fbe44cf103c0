/* test_herd.c - more devices at once than are served: the edge tells when to come again, and all are enrolled. */
#include "tests/flow/cluster.h"
#include "tests/flow/soft_enroll.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DEVICES 48
#define TRIES 40 /* of one device, before it is given up */

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

static int make(void **state)
{
	/* One request at a time, and few that wait. */
	static const char *const env[] = {
		"ENDORSE_BACKEND_MAXCONN=1", "ENDORSE_EDGE_QUEUE=4", NULL};

	(void)state;
	world_make(&(struct world_plan){.edge = true, .edge_env = env, .policy = world_any_name},
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

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(a_herd_is_told_when_to_come_and_all_of_it_is_enrolled),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
