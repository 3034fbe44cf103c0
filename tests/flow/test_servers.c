/* test_servers.c - two and four services on one database behind one edge: any is as good as another, and one that is
 * killed loses nothing. */
#include "tests/flow/cluster.h"
#include "tests/flow/soft_enroll.h"
#include "tests/flow/supervise.h"
#include "tests/flow/weather.h"

#include "ca/base/file.h"

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define DEVICES 12

static struct world world;

static void make(size_t services)
{
	world_make(
		&(struct world_plan){.services = services, .edge = true, .policy = world_any_name},
		&world);
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	return 0;
}

static int make_two(void **state)
{
	(void)state;
	make(2);
	return 0;
}

static int make_four(void **state)
{
	(void)state;
	make(4);
	return 0;
}

/* A ticket of one service, brought to another. */
static int enrolled(const struct soft_device *device, size_t asked, size_t proven)
{
	AUTO(httpc_answer_free) struct httpc_answer challenge, answer;
	AUTO(soft_enrollment_free) struct soft_enrollment x;
	AUTO(buf_free) struct buf begun = BUF(1 << 18), proof = BUF(1 << 18);

	soft_enrollment_init(&x, device);
	must(soft_enrollment_begin(&x, world.name, &begun) == OK, "%s", why()->sentence);
	httpc_post(&world.services[asked].peer, "/v1/ticket", buf_view(&begun), &challenge);
	assert_int_equal(challenge.status, 200);
	must(soft_enrollment_prove(&x, buf_view(&challenge.body), &proof) == OK, "%s",
		why()->sentence);
	httpc_post(&world.services[proven].peer, "/v1/enroll", buf_view(&proof), &answer);
	if (answer.status == 200)
		assert_int_equal(soft_enrollment_end(&x, buf_view(&answer.body)), OK);
	return answer.status;
}

static void a_ticket_of_any_is_answered_by_any(void **state)
{
	(void)state;
	for (size_t i = 0; i < world.services_n * world.services_n; i++) {
		AUTO(mem_free) char *host = text("any-%zu.example.test", i);
		struct soft_device device;

		soft_device_make(&(struct soft_plan){.ek = SOFT_L2,
					 .ak = SOFT_P256,
					 .service = world.name,
					 .host = host},
			&world.maker, &device);
		assert_int_equal(
			enrolled(&device, i / world.services_n, i % world.services_n), 200);
		soft_device_free(&device);
	}
}

/* Enrollments that the edge had from each, so far. */
static void count(unsigned of[static WORLD_SERVICES])
{
	static const char *const names[WORLD_SERVICES] = {"one", "two", "three", "four"};
	AUTO(mem_free) char *path = text("%s/edge.log", world.dir);
	AUTO(buf_free) struct buf log = BUF(1 << 26);
	char *rest;

	must(file_read(path, &log) == OK, "%s", path);
	memset(of, 0, WORLD_SERVICES * sizeof(*of));
	for (char *line = strtok_r((char *)buf_text(&log), "\n", &rest); line != NULL;
		line = strtok_r(NULL, "\n", &rest))
		for (size_t i = 0; i < world.services_n; i++) {
			AUTO(mem_free) char *server = text("server=%s ", names[i]);

			if (strstr(line, "path=\"/v1/enroll\" status=200") != NULL &&
				strstr(line, server) != NULL)
				of[i]++;
		}
}

/* Has every service answered since then? */
static bool all_answer(void *arg)
{
	const unsigned *since = arg;
	unsigned now[WORLD_SERVICES];
	bool all = true;

	count(now);
	for (size_t i = 0; i < world.services_n; i++)
		all = all && now[i] > since[i];
	return all;
}

static void one_that_is_killed_loses_no_enrollment(void **state)
{
	unsigned since[WORLD_SERVICES] = {0};
	size_t victim = world.services_n - 1;
	struct weather *weather = weather_begin(&world, DEVICES);
	struct score score;

	(void)state;
	assert_true(wait_until(all_answer, since, 30000));
	weather_reset(weather);
	assert_true(WIFSIGNALED(world_service_stop(&world, victim, SIGKILL)));
	assert_true(weather_clears(weather, 20000));
	weather_score(weather, &score);
	printf("%zu services, one killed: %u enrolled, %u told 503, %u told 502, slowest %lld ms\n",
		world.services_n, score.enrolled, score.busy, score.other,
		(long long)score.slowest_ms);
	assert_int_equal(score.silent, 0);
	assert_int_equal(score.hasty, 0);
	/* No more than what it was answering, and each was told so. */
	assert_in_range(score.other, 0, DEVICES);
	assert_true(score.other == 0 || strncmp(score.strange, "502 ", 4) == 0);
	count(since);
	world_service_start(&world, victim);
	assert_true(wait_until(all_answer, since, 30000));
	/* Each certificate that a device received is in the database. */
	weather_end(&weather);
}

static int tests(void)
{
	const struct CMUnitTest two[] = {
		cmocka_unit_test(a_ticket_of_any_is_answered_by_any),
		cmocka_unit_test(one_that_is_killed_loses_no_enrollment),
	};
	const struct CMUnitTest four[] = {
		cmocka_unit_test(a_ticket_of_any_is_answered_by_any),
		cmocka_unit_test(one_that_is_killed_loses_no_enrollment),
	};

	return cmocka_run_group_tests_name("two services", two, make_two, unmake) +
	       cmocka_run_group_tests_name("four services", four, make_four, unmake);
}

int main(void)
{
	return supervise(tests);
}
