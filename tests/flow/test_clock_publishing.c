/* test_clock_publishing.c - a server by whose clock much has ended takes nothing off the lists of all. */
#include "ca/base/encode.h"
#include "ca/krl.h"
#include "tests/flow/cluster.h"
#include "tests/flow/four.h"
#include "tests/flow/published.h"
#include "tests/flow/skewed.h"
#include "tests/flow/supervise.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define YEAR_AHEAD "+31536000"

static struct world world;
static struct httpc_peer *here;
static struct four_device device;
static struct four first; /* ak, platform-property, tls-server, ssh-host */

static int make(void **state)
{
	(void)state;
	skewed_set("+0");
	world_make(&(struct world_plan){.policy = four_policy, .env = skewed_env()}, &world);
	here = &world.services[0].peer;
	four_device_make(&world, "web-1.example.test", &device);
	four_init(&first, &world, &device);
	if (four_run(&first, world.name) != 200)
		fail_msg("%s: %s", first.problem.reason, first.problem.detail);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	four_free(&first);
	four_device_free(&device);
	world_free(&world);
	return 0;
}

static bool stopped_publishing(void *arg)
{
	AUTO(mem_free) char *log = world_log(&world, 0);

	(void)arg;
	return strstr(log, "publishing.failed reason=clock-differs") != NULL;
}

static void certificates_are_revoked_elsewhere(void)
{
	free(sql_text(world.conninfo, "UPDATE certificate SET revoked_at = now(), revocation_reason"
				      " = 'keyCompromise', revoked_with = 'device'"));
}

static bool krl_is_published(void *arg)
{
	(void)arg;
	return sql_number(world.conninfo, "SELECT count(*) FROM krl WHERE changed = published") ==
	       1;
}

static bool krl_lists_it(void)
{
	AUTO(httpc_answer_free) struct httpc_answer answer = {0};
	struct krl krl = {0};

	httpc_get(here, "/krl", &answer);
	assert_int_equal(200, answer.status);
	assert_int_equal(OK, krl_parse(buf_view(&answer.body), &krl));
	return krl.serials == 1;
}

/* As if no server had published anything of it before it was asked for here. */
static void the_crl_that_is_asked_for_first_is_not_made_by_a_wrong_clock(void **state)
{
	struct view der = first.x.answer->certificates[2].der;
	AUTO(mem_free) char *path = crl_path_of(der);
	AUTO(httpc_answer_free) struct httpc_answer answer = {0};

	(void)state;
	skewed_set(YEAR_AHEAD);
	assert_true(wait_until(stopped_publishing, NULL, 10000));
	certificates_are_revoked_elsewhere();
	free(sql_text(world.conninfo,
		"UPDATE crl_shard SET published = 0, number = NULL, der = NULL, this_update = NULL,"
		" next_update = NULL"));
	httpc_get(here, path, &answer);
	assert_int_equal(503, answer.status);
	assert_int_equal(0, sql_number(world.conninfo,
				    "SELECT count(*) FROM crl_shard WHERE number IS NOT NULL"));
}

/* The server's clock is still wrong. */
static void nor_is_the_krl(void **state)
{
	(void)state;
	assert_false(wait_until(krl_is_published, NULL, 1500));
}

static void both_list_what_was_revoked_once_the_clock_is_right(void **state)
{
	(void)state;
	skewed_set("+0");
	crl_wait(here, first.x.answer->certificates[2].der, true);
	assert_true(wait_until(krl_is_published, NULL, 10000));
	assert_true(krl_lists_it());
	assert_int_equal(
		0, sql_number(world.conninfo,
			   "SELECT count(*) FROM krl WHERE this_update > now() + interval"
			   " '61 s' OR number > 1000 * extract(epoch FROM now()) + 61000"));
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(the_crl_that_is_asked_for_first_is_not_made_by_a_wrong_clock),
		cmocka_unit_test(nor_is_the_krl),
		cmocka_unit_test(both_list_what_was_revoked_once_the_clock_is_right),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
