/* test_smoke.c - one device enrolls, step by step, at the service and through the edge. */
#include "tests/flow/dialogue.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

static struct world world;
static struct device device;

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.chips = 1, .services = 2, .edge = true}, &world);
	device_open(&device, world.chips[0].tcti);
	device_certify(&device, KEY_P256, &world.maker, NULL);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	device_close(&device);
	world_free(&world);
	return 0;
}

static void enrolls(const struct httpc_peer *peer, enum key_kind kind, enum ak_shape shape)
{
	AUTO(dialogue_free) struct dialogue x;

	dialogue_init(&x, &device, peer, world.name, "web-1.example.test");
	dialogue_keys(&x, kind, shape);
	assert_int_equal(dialogue_run(&x), 200);
	assert_string_equal(x.answer->host, "web-1.example.test");
	assert_int_equal(x.answer->certificates_n, 1);
	assert_int_equal(world_rows(&world, "host"), 1);
	assert_int_equal(world_rows(&world, "device"), 1);
}

static void a_device_enrolls_with_a_p256_ek(void **state)
{
	(void)state;
	enrolls(&world.services[0].peer, KEY_P256, AK_P256);
}

static void it_enrolls_again_through_the_edge_with_another_ak(void **state)
{
	(void)state;
	enrolls(&world.front, KEY_P256, AK_P384);
	enrolls(&world.front, KEY_P256, AK_RSAPSS);
	enrolls(&world.services[1].peer, KEY_P256, AK_RSASSA);
}

static void a_service_told_to_stop_stops_cleanly(void **state)
{
	int status;

	(void)state;
	status = world_service_stop(&world, 1, SIGTERM);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	world_service_start(&world, 1);
	enrolls(&world.services[1].peer, KEY_P256, AK_P256);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(a_device_enrolls_with_a_p256_ek),
		cmocka_unit_test(it_enrolls_again_through_the_edge_with_another_ak),
		cmocka_unit_test(a_service_told_to_stop_stops_cleanly),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
