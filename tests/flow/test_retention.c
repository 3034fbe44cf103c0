/* test_retention.c - what a service deletes of what has ended, and what it leaves. */
#include "tests/flow/cluster.h"
#include "tests/flow/soft_enroll.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static struct world world;

static void enroll(const char *host)
{
	struct soft_plan plan = {
		.ek = SOFT_L2, .ak = SOFT_P256, .service = world.name, .host = host};
	struct soft_outcome outcome;
	struct soft_device device;

	soft_device_make(&plan, &world.maker, &device);
	soft_enroll(&device, &world.services[0].peer, world.name, &outcome);
	assert_int_equal(outcome.status, 200);
	soft_outcome_free(&outcome);
	soft_device_free(&device);
}

static bool has_told(void *arg)
{
	AUTO(mem_free) char *log = world_log(&world, 0);

	return strstr(log, arg) != NULL;
}

static void restart_with(const char *lines)
{
	AUTO(mem_free) char *add = text("printf '%s\\n' >>'%s'", lines, world.services[0].config);

	world_service_stop(&world, 0, SIGTERM);
	MUST_RUN("sh", "-c", add);
	world_service_start(&world, 0);
}

static void only_certificates_that_ended_long_ago_go_and_only_when_told_so(void **state)
{
	(void)state;
	enroll("web-1.example.test");
	enroll("web-2.example.test");
	enroll("web-3.example.test");
	free(sql_text(world.conninfo,
		"UPDATE certificate SET not_before = now() - interval '900 days', not_after ="
		" now() - CASE host WHEN 'web-1.example.test' THEN interval '401 days'"
		" ELSE interval '399 days' END WHERE host <> 'web-3.example.test'"));
	restart_with("");
	assert_int_equal(3, world_rows(&world, "certificate"));
	restart_with("retention: {certificates: 400d}");
	assert_true(
		wait_until(has_told, (void *)"certificates.purged n=1 ended_days_ago=400", 20000));
	assert_int_equal(2, world_rows(&world, "certificate"));
	assert_int_equal(
		0, sql_number(world.conninfo,
			   "SELECT count(*) FROM certificate WHERE host = 'web-1.example.test'"));
	assert_int_equal(3, world_rows(&world, "device"));
	assert_int_equal(3, sql_number(world.conninfo,
				    "SELECT count(*) FROM audit WHERE event = 'enroll.issued'"));
	enroll("web-4.example.test");
}

static int setup(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.services = 1}, &world);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	world_free(&world);
	return 0;
}

static int tests(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_certificates_that_ended_long_ago_go_and_only_when_told_so),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

int main(void)
{
	return supervise(tests);
}
