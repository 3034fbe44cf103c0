/* test_tcti.c - the ways to a TPM: a resource manager that many share, and a raw device that one has alone. */
#include "tests/flow/broker.h"
#include "tests/flow/cluster.h"
#include "tests/flow/device.h"
#include "tests/flow/line.h"
#include "tests/flow/supervise.h"
#include "tests/flow/tpmtool.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static struct world world;

static int make(void **state)
{
	(void)state;
	world_make(
		&(struct world_plan){
			.chips = 2, .services = 1, .edge = true, .policy = world_any_name},
		&world);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	return 0;
}

static void assert_enrolls(const char *tcti, const char *name, const char *hierarchy)
{
	AUTO(mem_free) char *host = text("%s-%s.example.test", name, hierarchy);
	AUTO(mem_free) char *dir = text("%s/%s-%s", world.dir, name, hierarchy);
	AUTO(output_free) struct output first, again;

	world_run(&world, &first, "endorse", "enroll", "--server", world.name, "--ca", world.roots,
		"--tcti", tcti, "--host", host, "--state", dir, "--timeout", "20", "--hierarchy",
		hierarchy, "--ek", "rsa2048", NULL);
	if (first.code != 0)
		fail_msg("%s: %s", tcti, buf_text(&first.err));
	world_run(&world, &again, "endorse", "enroll", "--server", world.name, "--tcti", tcti,
		"--host", host, "--state", dir, "--timeout", "20", NULL);
	assert_int_equal(again.code, 0);
	assert_non_null(strstr(buf_text(&again.out), "nothing to do"));
}

static void a_raw_device_serves_one_program_at_a_time(void **state)
{
	struct line line;

	(void)state;
	line_start(&line, world.chips[0].socket);
	AUTO(mem_free) char *tcti = text("device:%s", line.path);
	assert_enrolls(tcti, "device", "owner");
	assert_enrolls(tcti, "device", "ek");
	assert_nothing_left(tcti);
	line_stop(&line);
}

/* Another program, which fills the TPM with its keys and keeps them until it is ended. */
static pid_t start_hog(const char *tcti)
{
	int ready[2];
	pid_t hog;
	char byte;

	must(pipe(ready) == 0, "pipe: %s", strerror(errno));
	hog = fork();
	must(hog >= 0, "fork: %s", strerror(errno));
	if (hog == 0) {
		struct device_key keys[3];
		struct device device;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		device_open(&device, tcti);
		for (size_t i = 0; i < COUNT(keys); i++)
			device_ek(&device, KEY_P256, &keys[i]);
		must(write(ready[1], "", 1) == 1, "pipe: %s", strerror(errno));
		pause();
		_exit(0);
	}
	close(ready[1]);
	must(read(ready[0], &byte, 1) == 1, "the other program does not get its keys");
	close(ready[0]);
	return hog;
}

static void through_a_resource_manager_other_programs_keys_are_not_in_the_way(void **state)
{
	struct broker broker;
	const char *tcti;
	pid_t hog;

	(void)state;
	broker_start(world.dir, &world.chips[1], 1, &broker);
	tcti = broker.tctis[0];
	hog = start_hog(tcti);
	assert_enrolls(tcti, "managed", "owner");
	assert_enrolls(tcti, "managed", "endorsement");
	assert_enrolls(tcti, "managed", "ek");
	process_stop(&hog, SIGTERM);
	assert_nothing_left(tcti);
	broker_stop(&broker);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(a_raw_device_serves_one_program_at_a_time),
		cmocka_unit_test(through_a_resource_manager_other_programs_keys_are_not_in_the_way),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
