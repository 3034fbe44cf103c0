/* load.c - a cluster with a database as after years, which stays: bench-load DIR [DEVICES CERTIFICATES REVOKED] */
#include "tests/flow/cluster.h"
#include "tests/flow/loaded.h"
#include "tests/flow/soft_enroll.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Until it is loaded: what is lost with the machine is made again. */
static const char in_haste[] = "max_wal_size = '16GB'\nmin_wal_size = '4GB'\n"
			       "checkpoint_timeout = '1h'\n"
			       "wal_level = minimal\nmax_wal_senders = 0\nautovacuum = off\n"
			       "shared_buffers = '1GB'\nmax_parallel_maintenance_workers = 1\n";

static const char *directory;
static struct load load = {2000000, 10000000, 1000000, true};

static void restart(struct world *world, const char *settings)
{
	free(sql_text(world->conninfo, "ALTER SYSTEM RESET ALL"));
	for (const char *line = settings; *line != '\0'; line = strchr(line, '\n') + 1)
		free(sql_text(
			world->conninfo, "ALTER SYSTEM SET %.*s", (int)strcspn(line, "\n"), line));
	cluster_stop_by(SIGINT);
	cluster_start();
}

static int make(void)
{
	struct soft_plan plan = {.ek = SOFT_L1, .ak = SOFT_P256, .host = "web-1.example.test"};
	AUTO(mem_free) char *data = text("%s/data", supervise_dir());
	AUTO(mem_free) char *database = NULL;
	AUTO(mem_free)
	char *in_use = NULL; /* by an operator, on a machine that does nothing else */
	struct soft_outcome enrolled;
	struct soft_device device;
	struct world world;

	world_make(&(struct world_plan){.services = 1}, &world);
	plan.service = world.name;
	soft_device_make(&plan, &world.maker, &device);
	soft_enroll(&device, &world.services[0].peer, world.name, &enrolled);
	must(enrolled.status == 200, "%s: %s", enrolled.code, enrolled.detail);
	world_service_stop(&world, 0, SIGTERM);
	restart(&world, in_haste);
	loaded_fill(world.conninfo, &load);
	in_use = text(
		"shared_buffers = '%ldMB'\nmax_wal_size = '8GB'\ncheckpoint_timeout = '15min'\n",
		sysconf(_SC_PHYS_PAGES) / 1024 * (sysconf(_SC_PAGE_SIZE) / 1024) / 3);
	restart(&world, in_use);
	free(sql_text(world.conninfo, "CHECKPOINT"));
	database = text("%s", strstr(world.conninfo, "dbname="));
	cluster_stop_by(SIGINT);
	MUST_RUN("mv", data, directory);
	MUST_RUN("cp", "-a", world.ca, directory);
	MUST_RUN("sync");
	printf("%s/data is the cluster, stopped, with %s; the CA is beside it\n", directory,
		database);
	soft_outcome_free(&enrolled);
	soft_device_free(&device);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5) {
		load.devices = strtoul(argv[2], NULL, 10);
		load.certificates = strtoul(argv[3], NULL, 10);
		load.revoked = strtoul(argv[4], NULL, 10);
	}
	if ((argc != 2 && argc != 5) || load.devices < 1 || load.revoked > load.certificates) {
		fputs("usage: bench-load DIR [DEVICES CERTIFICATES REVOKED]\n", stderr);
		return 2;
	}
	directory = argv[1];
	setvbuf(stdout, NULL, _IOLBF, 0);
	return supervise(make);
}
