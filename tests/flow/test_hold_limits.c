/* test_hold_limits.c - how many attempts are held at once, from whom, and how long. */
#include "tests/flow/cluster.h"
#include "tests/flow/knock.h"
#include "tests/flow/supervise.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define HOST "a.hold.example.test"

static const char policy[] = "rules:\n"
			     "  - name: holding\n"
			     "    hosts: [{suffix: hold.example.test}]\n"
			     "    templates: [ak]\n"
			     "    trust: [approved]\n"
			     "    unknown_ek: hold\n"
			     "hold:\n"
			     "  attempts: 5\n"
			     "  per_ek: 2\n"
			     "  per_address: 3\n"
			     "  exempt: [198.51.100.0/24, 127.0.0.1]\n"
			     "  retry_after: 7s\n";

static struct world world;
static struct maker nobody; /* whom the service does not know */

static int make(void **state)
{
	(void)state;
	strangers_begin(policy, &world, &nobody);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	strangers_end(&world, &nobody);
	return 0;
}

static int forget(void **state)
{
	(void)state;
	world_forget(&world);
	return 0;
}

static void only_so_many_of_one_ek_are_held(void **state)
{
	AUTO(soft_device_free) struct soft_device device = {0};
	AUTO(knock_free) struct knock knock;

	(void)state;
	stranger_of(&world, &nobody, HOST, &device);
	assert_knock(&world, &device, 202, "pending-approval");
	snprintf(device.host, sizeof(device.host), "b.hold.example.test");
	assert_knock(&world, &device, 202, "pending-approval");
	snprintf(device.host, sizeof(device.host), "c.hold.example.test");
	knock_init(&knock, &world, &device);
	knock_at(&knock);
	assert_answer(&knock, 429, "pending-limit");
	assert_int_equal(7, knock.retry_after);
	assert_non_null(strstr(knock.problem.detail, "EK"));
	assert_int_equal(2, world_rows(&world, "pending"));
	assert_nothing_bound(&world);
}

/* `n` devices of their own ask from one address; the status of the last one. */
static int ask_from(const char *address, unsigned n, struct soft_device *last)
{
	AUTO(mem_free)
	char *headers = text(
		"X-Endorse-Edge: %s\r\nX-Endorse-Client-Address: %s\r\n", world.secret, address);
	const struct httpc_peer peer = {.port = world.services[0].port, .headers = headers};
	int status = 0;

	for (unsigned i = 0; i < n; i++) {
		AUTO(knock_free) struct knock knock;

		soft_device_free(last);
		*last = (struct soft_device){0};
		stranger_of(&world, &nobody, HOST, last);
		knock_init(&knock, &world, last);
		knock.peer = &peer;
		status = knock_at(&knock);
		if (status == 429)
			assert_string_equal(knock.problem.code, "pending-limit");
	}
	return status;
}

static void only_so_many_from_one_address_are_held_unless_it_is_exempt(void **state)
{
	AUTO(soft_device_free) struct soft_device device = {0};

	(void)state;
	assert_int_equal(202, ask_from("192.0.2.1", 3, &device));
	assert_int_equal(429, ask_from("192.0.2.1", 1, &device));
	assert_int_equal(3, world_rows(&world, "pending"));
	/* Another one is not held up by it. */
	assert_int_equal(202, ask_from("192.0.2.2", 1, &device));
	world_forget(&world);
	assert_int_equal(202, ask_from("198.51.100.7", 4, &device));
	assert_int_equal(4, world_rows(&world, "pending"));
	assert_nothing_bound(&world);
}

/* Who is given a /64 has more addresses in it than there are limits. */
static void the_addresses_of_one_ipv6_network_are_one(void **state)
{
	static const char *const addresses[] = {
		"2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::3"};
	AUTO(soft_device_free) struct soft_device device = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(addresses); i++)
		assert_int_equal(202, ask_from(addresses[i], 1, &device));
	assert_int_equal(429, ask_from("2001:db8::4", 1, &device));
	assert_int_equal(202, ask_from("2001:db8:0:1::4", 1, &device));
	assert_int_equal(4, world_rows(&world, "pending"));
}

/* Two addresses would be as good as any number: what waits at one would be moved to the other. */
static void an_attempt_counts_where_it_came_from_first(void **state)
{
	AUTO(mem_free)
	char *headers =
		text("X-Endorse-Edge: %s\r\nX-Endorse-Client-Address: 192.0.2.2\r\n", world.secret);
	const struct httpc_peer peer = {.port = world.services[0].port, .headers = headers};
	AUTO(soft_device_free) struct soft_device device = {0};

	(void)state;
	for (int i = 0; i < 3; i++) {
		AUTO(knock_free) struct knock knock;

		assert_int_equal(202, ask_from("192.0.2.1", 1, &device));
		knock_init(&knock, &world, &device);
		knock.peer = &peer;
		assert_int_equal(202, knock_at(&knock));
	}
	assert_int_equal(
		3, sql_number(world.conninfo, "SELECT count(*) FROM pending WHERE client_address = "
					      "'192.0.2.2'"));
	assert_int_equal(429, ask_from("192.0.2.1", 1, &device));
}

static void only_so_many_are_held_in_all_and_a_held_one_may_go_on_asking(void **state)
{
	AUTO(soft_device_free) struct soft_device device = {0}, sixth = {0};

	(void)state;
	assert_int_equal(202, ask_from("198.51.100.7", 5, &device));
	assert_int_equal(429, ask_from("198.51.100.7", 1, &sixth));
	assert_knock(&world, &device, 202, "pending-approval");
	assert_int_equal(5, world_rows(&world, "pending"));
	assert_nothing_bound(&world);
}

static void the_doctor_tells_from_where_it_is_that_no_more_can_be_held(void **state)
{
	AUTO(soft_device_free) struct soft_device device = {0};
	AUTO(output_free) struct output few, many;
	AUTO(mem_free) char *url = text("http://127.0.0.1:%d", world.services[0].admin_port);
	AUTO(mem_free) char *token = text("%s/admin.token", world.dir);

	(void)state;
	ask_from("2001:db8::1", 3, &device);
	world_run(
		&world, &few, "endorsectl", "doctor", "--admin", url, "--token-file", token, NULL);
	assert_non_null(strstr(buf_text(&few.out), "3 attempts wait for an admin (endorsectl"));
	ask_from("192.0.2.1", 1, &device);
	world_run(
		&world, &many, "endorsectl", "doctor", "--admin", url, "--token-file", token, NULL);
	assert_non_null(strstr(buf_text(&many.out), "4 attempts wait for an admin, and 5 may"));
	assert_non_null(strstr(buf_text(&many.out), "from 2001:db8::/64"));
}

static void what_nobody_decides_goes_away_and_begins_anew(void **state)
{
	AUTO(soft_device_free) struct soft_device device = {0};
	AUTO(knock_free) struct knock before, after;
	AUTO(db_close) struct db *db = NULL;

	(void)state;
	stranger_of(&world, &nobody, HOST, &device);
	knock_init(&before, &world, &device);
	knock_init(&after, &world, &device);
	knock_at(&before);
	assert_answer(&before, 202, "pending-approval");
	free(sql_text(world.conninfo, "UPDATE pending SET first_at = now() - interval '8 days'"));
	assert_int_equal(OK, db_open(world.conninfo, 1, 5000, &db));
	assert_int_equal(OK, pending_purge(db, 7));
	assert_int_equal(0, world_rows(&world, "pending"));
	knock_at(&after);
	assert_answer(&after, 202, "pending-approval");
	assert_string_not_equal(before.problem.attempt, after.problem.attempt);
	assert_nothing_bound(&world);
}

static int tests(void)
{
	struct CMUnitTest all[] = {
		cmocka_unit_test(only_so_many_of_one_ek_are_held),
		cmocka_unit_test(only_so_many_from_one_address_are_held_unless_it_is_exempt),
		cmocka_unit_test(the_addresses_of_one_ipv6_network_are_one),
		cmocka_unit_test(an_attempt_counts_where_it_came_from_first),
		cmocka_unit_test(only_so_many_are_held_in_all_and_a_held_one_may_go_on_asking),
		cmocka_unit_test(the_doctor_tells_from_where_it_is_that_no_more_can_be_held),
		cmocka_unit_test(what_nobody_decides_goes_away_and_begins_anew),
	};

	for (size_t i = 0; i < COUNT(all); i++)
		all[i].setup_func = forget;
	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
