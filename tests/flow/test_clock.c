/* test_clock.c - the clock of the service is set, forward and back, while devices enroll. */
#include "tests/flow/cluster.h"
#include "tests/flow/skewed.h"
#include "tests/flow/supervise.h"
#include "tests/flow/weather.h"

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define DEVICES 12
#define CERTIFICATES "SELECT count(*) FROM certificate"

static struct world world;
static long began; /* the database's time, seconds since 1970 */

static int make(void **state)
{
	(void)state;
	skewed_set("+0");
	world_make(&(struct world_plan){.chips = 1, .env = skewed_env()}, &world);
	began = sql_number(world.conninfo, "SELECT extract(epoch FROM now())::bigint");
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	return 0;
}

static const char *ahead;

static void step(struct world *w)
{
	(void)w;
	skewed_set(ahead);
}

static void step_back(struct world *w)
{
	(void)w;
	skewed_set("+0");
}

static void a_clock_that_is_wrong_issues_nothing_and_recovers_when_it_is_right(void **state)
{
	static const struct {
		const char *name, *ahead;
	} rows[] = {
		{"an hour ahead", "+3600"},
		{"an hour behind", "-3600"},
		{"two minutes ahead", "+120"},
		{"two minutes behind", "-120"},
		{"a day ahead", "+86400"},
		{"a day behind", "-86400"},
		{"ten years ahead", "+315360000"},
		{"ten years behind", "-315360000"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		ahead = rows[i].ahead;
		weather_strikes(&world, DEVICES,
			&(struct fault){
				rows[i].name, step, step_back, "clock-differs", DEVICES, 0});
	}
}

/* What the servers of a fleet may differ by anyhow. */
static void half_a_minute_is_no_reason(void **state)
{
	(void)state;
	ahead = "+30";
	weather_strikes(&world, DEVICES,
		&(struct fault){"half a minute ahead", step, step_back, NULL, 0, 0});
}

static void *run_tool(void *output)
{
	AUTO(mem_free) char *dir = text("%s/tool", world.dir);

	world_run(&world, output, "endorse", "enroll", "--server", world.name, "--ca", world.roots,
		"--tcti", world.chips[0].tcti, "--host", "web-tool.example.test", "--state", dir,
		"--timeout", "60", NULL);
	return NULL;
}

static bool was_refused(void *arg)
{
	AUTO(mem_free) char *log = world_log(&world, 0);

	(void)arg;
	return strstr(log, "host=web-tool.example.test") != NULL ||
	       strstr(log, "ticket.refused reason=clock-differs") != NULL;
}

static void the_device_tool_waits_for_the_right_time_and_enrolls(void **state)
{
	AUTO(output_free) struct output output;
	pthread_t tool;
	long before = sql_number(world.conninfo, CERTIFICATES);

	(void)state;
	world_edge_start(&world);
	skewed_set("+86400");
	assert_int_equal(pthread_create(&tool, NULL, run_tool, &output), 0);
	assert_true(wait_until(was_refused, NULL, 20000));
	skewed_set("+0");
	pthread_join(tool, NULL);
	if (output.code != 0)
		fail_msg("%s", buf_text(&output.err));
	assert_int_equal(sql_number(world.conninfo, CERTIFICATES), before + 1);
}

/* Two minutes off would show: nothing was issued before the first step but in good weather. */
static void no_certificate_has_a_time_that_is_not_the_databases(void **state)
{
	(void)state;
	assert_int_equal(
		0, sql_number(world.conninfo,
			   "SELECT count(*) FROM certificate WHERE issued_at < to_timestamp(%ld)"
			   " OR issued_at > now() + interval '61 s'"
			   " OR not_before <> issued_at - interval '5 min'",
			   began - 61));
	assert_int_equal(0, sql_number(world.conninfo,
				    "SELECT count(*) FROM audit WHERE at < to_timestamp(%ld)"
				    " OR at > now() + interval '61 s'",
				    began - 61));
}

static void the_log_says_which_way_the_clock_is_wrong_in_one_line_for_each_change(void **state)
{
	AUTO(mem_free) char *log = world_log(&world, 0);

	(void)state;
	assert_non_null(strstr(log, "reason=clock-differs"));
	assert_non_null(strstr(log, "seconds ahead of the database's"));
	assert_non_null(strstr(log, "seconds behind the database's"));
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(the_device_tool_waits_for_the_right_time_and_enrolls),
		cmocka_unit_test(half_a_minute_is_no_reason),
		cmocka_unit_test(
			a_clock_that_is_wrong_issues_nothing_and_recovers_when_it_is_right),
		cmocka_unit_test(no_certificate_has_a_time_that_is_not_the_databases),
		cmocka_unit_test(
			the_log_says_which_way_the_clock_is_wrong_in_one_line_for_each_change),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
