/* test_edge_stalls.c - who asks and does not go on, or does not read, holds up nobody else at the edge. */
#include "tests/flow/cluster.h"
#include "tests/flow/somebody.h"
#include "tests/flow/supervise.h"

#include <cmocka.h>
#include <stdlib.h>

static struct world world;
static char *token; /* a header */

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.services = 1, .edge = true, .all_fronts = true}, &world);
	token = token_make(&world, "ci", "auditor");
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	free(token);
	world_free(&world);
	return 0;
}

#define HALTED 10 /* more than the edge sends to the service at a time */

/* They begin what they do not end, with no more than the word "Bearer", and keep their connections. */
static void halt(struct httpc *all, const char *path)
{
	AUTO(buf_free) struct buf begun = BUF(1 << 20);

	buf_fmt(&begun,
		"POST %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\n"
		"Content-Length: 1000000\r\n\r\n",
		path);
	while (begun.n < 200000)
		buf_u8(&begun, ' ');
	for (size_t i = 0; i < HALTED; i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer;

		must(httpc_open(&all[i], &world.programs, 10000), "no connection");
		httpc_send(&all[i], buf_view(&begun));
		/* Those for which there is a place are answered. */
		httpc_receive(&all[i], &answer, i < 2 ? 10000 : 100);
	}
}

static void assert_administered(void)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;
	struct httpc_peer peer = world.programs;

	peer.headers = token;
	httpc_get(&peer, "/v1/admin/whoami", &answer);
	assert_int_equal(answer.status, 200);
}

static void bodies_that_never_end_keep_nobody_from_administering(void **state)
{
	static const char *const paths[] = {"/v1/admin/vendors/import", "/v1/admin/device/revoke"};

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct httpc all[HALTED];

		halt(all, paths[i]);
		assert_administered();
		for (size_t k = 0; k < HALTED; k++)
			httpc_close(&all[k]);
	}
}

#define UNREAD 40 /* more than the edge sends to the service at a time */

static void readers_who_do_not_read_keep_no_device_away(void **state)
{
	struct httpc all[UNREAD];
	AUTO(httpc_answer_free) struct httpc_answer answer;

	(void)state;
	/* More than the buffers on the way hold. */
	assert_int_equal(sql_number(world.conninfo,
				 "WITH large AS (UPDATE krl SET"
				 " bytes = decode(repeat('00', 6291456), 'hex') RETURNING 1)"
				 " SELECT count(*) FROM large"),
		1);
	for (size_t i = 0; i < UNREAD; i++) {
		must(httpc_open(&all[i], &world.plain, 10000), "no connection");
		assert_true(httpc_send(
			&all[i], view_str("GET /krl HTTP/1.1\r\nHost: localhost\r\n\r\n")));
	}
	httpc_get(&world.front, "/healthz", &answer);
	assert_int_equal(answer.status, 200);
	for (size_t i = 0; i < UNREAD; i++)
		httpc_close(&all[i]);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(bodies_that_never_end_keep_nobody_from_administering),
		cmocka_unit_test(readers_who_do_not_read_keep_no_device_away),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
