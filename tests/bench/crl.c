/* crl.c - how large shards of a CRL are, how long they take, and from a revocation to the CRL: bench-crl [N M] */
#include "ca/base/file.h"
#include "tests/bench/timing.h"
#include "tests/flow/cluster.h"
#include "tests/flow/loaded.h"
#include "tests/flow/published.h"
#include "tests/flow/soft_enroll.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 21

static size_t certificates = 100000, revoked = 10000;

static double since(double begin)
{
	return (now_us() - begin) / 1e6;
}

static bool all_published(void *arg)
{
	struct world *world = arg;

	return sql_number(world->conninfo,
		       "SELECT count(*) FROM crl_shard WHERE changed <> published") == 0;
}

static void print_memory(pid_t pid)
{
	AUTO(mem_free) char *path = text("/proc/%d/status", (int)pid);
	AUTO(buf_free) struct buf status = BUF(1 << 16);
	const char *line;

	if (file_read(path, &status) != OK || (line = strstr(buf_text(&status), "VmHWM")) == NULL)
		return;
	printf("memory of the service, at most: %.*s\n", (int)strcspn(line, "\n"), line);
}

static void build_all(struct world *world)
{
	double begin = now_us();
	AUTO(mem_free) char *sizes = NULL;

	world_service_start(world, 0);
	must(wait_until(all_published, world, 600000), "not published");
	sizes = sql_text(world->conninfo,
		"SELECT format('%%s shards, %%s bytes on average, %%s at most, %%s together', "
		"count(*),"
		" avg(octet_length(der))::bigint, max(octet_length(der)), sum(octet_length(der)))"
		" FROM crl_shard");
	printf("all shards, from the start of a service: %.1f s: %s\n", since(begin), sizes);
}

/* One certificate each, of as many shards as there are. */
static void revoke_one_by_one(struct world *world)
{
	double times[ROUNDS];

	for (size_t i = 0; i < ROUNDS; i++) {
		AUTO(mem_free)
		char *shard = sql_text(world->conninfo,
			"UPDATE certificate SET revoked_at = now(), revocation_reason = "
			"'keyCompromise'"
			" WHERE serial = (SELECT serial FROM certificate WHERE revoked_at IS NULL"
			"  AND kind = 'x509'"
			"  AND shard = (SELECT max(shard) * %zu / %d FROM crl_shard) LIMIT 1)"
			" RETURNING shard",
			i, ROUNDS);
		double begin = now_us();

		must(shard[0] != '\0', "nothing to revoke");
		must(wait_until(all_published, world, 60000), "not published");
		times[i] = since(begin) * 1e3;
	}
	printf("from a revocation to the CRL that says so: %.0f ms median, %.0f ms at most of %d\n",
		percentile(times, ROUNDS, 50), percentile(times, ROUNDS, 100), ROUNDS);
}

static void revoke_a_tenth(struct world *world)
{
	double begin = now_us();
	AUTO(mem_free)
	char *n = sql_text(world->conninfo,
		"WITH done AS (UPDATE certificate SET revoked_at = now(), revocation_reason ="
		" 'superseded' WHERE revoked_at IS NULL AND shard %% 10 = 0 RETURNING 1)"
		" SELECT count(*) FROM done");
	double stated = since(begin);

	must(wait_until(all_published, world, 600000), "not published");
	printf("%s at once, whole shards: %.1f s to record, %.1f s until published\n", n, stated,
		since(begin));
}

static int bench(void)
{
	struct soft_plan plan = {.ek = SOFT_L2, .ak = SOFT_P256, .host = "web-1.example.test"};
	struct soft_device device;
	struct soft_outcome enrolled;
	struct world world;
	double begin;

	world_make(&(struct world_plan){.services = 1}, &world);
	plan.service = world.name;
	soft_device_make(&plan, &world.maker, &device);
	soft_enroll(&device, &world.services[0].peer, world.name, &enrolled);
	must(enrolled.status == 200, "%s: %s", enrolled.code, enrolled.detail);
	world_service_stop(&world, 0, SIGTERM);
	begin = now_us();
	loaded_fill(world.conninfo, &(struct load){certificates / 4, certificates, revoked, false});
	printf("%zu certificates, %zu revoked: loaded in %.1f s\n", certificates, revoked,
		since(begin));
	build_all(&world);
	revoke_one_by_one(&world);
	revoke_a_tenth(&world);
	print_memory(world.services[0].pid);
	soft_outcome_free(&enrolled);
	soft_device_free(&device);
	world_free(&world);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3) {
		certificates = strtoul(argv[1], NULL, 10);
		revoked = strtoul(argv[2], NULL, 10);
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	return supervise(bench);
}
