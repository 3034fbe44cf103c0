/* revocation.c - what admins and relying parties wait for among very many certificates: bench-revocation [N M] */
#include "ca/base/cert.h"
#include "tests/bench/revocation/bed.h"
#include "tests/flow/loaded.h"
#include "tests/flow/published.h"
#include "tests/flow/soft_enroll.h"
#include "tests/flow/supervise.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_MS 3600000

static size_t certificates = 100000, revoked = 10000;

static bool all_published(void *arg)
{
	(void)arg;
	return sql_number(bed.world.conninfo,
		       "SELECT count(*) FROM crl_shard WHERE changed <> published") == 0;
}

static void bench_shards(void)
{
	double begin = now();

	world_service_start(&bed.world, 0);
	must(wait_until(all_published, NULL, HOUR_MS), "not published");
	tell_shards("all of them, from the start of a service", now() - begin);
}
static void enroll_first(void)
{
	struct soft_plan plan = {.ek = SOFT_L2,
		.ak = SOFT_P256,
		.service = bed.world.name,
		.host = "web-1.example.test"};
	AUTO(mem_free) char *path = text("%s/issuing.pem", bed.world.ca);
	AUTO(soft_outcome_free) struct soft_outcome outcome;
	AUTO(soft_device_free) struct soft_device device;

	soft_device_make(&plan, &bed.world.maker, &device);
	soft_enroll(&device, &bed.world.services[0].peer, bed.world.name, &outcome);
	must(outcome.status == 200, "%s: %s", outcome.code, outcome.detail);
	must(cert_read(path, "certificate", &bed.issuer) == OK, "%s", why()->sentence);
	bed.crl_of = crl_path_of(buf_view(&outcome.certificate));
	*strrchr(bed.crl_of, '-') = '\0';
}

static int bench(void)
{
	double begin;

	world_make(&(struct world_plan){.services = 1}, &bed.world);
	enroll_first();
	world_service_stop(&bed.world, 0, SIGTERM);
	begin = now();
	loaded_fill(
		bed.world.conninfo, &(struct load){certificates / 4, certificates, revoked, false});
	printf("%zu certificates, %zu revoked: loaded in %.1f s\n", certificates, revoked,
		(now() - begin) / 1e3);
	sample_take();
	measure_machine();
	bench_shards();
	tell_memory("after the CRLs");
	bench_ocsp();
	tell_memory("after OCSP");
	bench_acts();
	bench_questions();
	bench_commands();
	bench_ca();
	tell_memory("at the end");
	measure_machine();
	sample_free();
	X509_free(bed.issuer);
	free(bed.crl_of);
	world_free(&bed.world);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3) {
		certificates = strtoul(argv[1], NULL, 10);
		revoked = strtoul(argv[2], NULL, 10);
	}
	if ((argc != 1 && argc != 3) || certificates < 1000 || revoked > certificates / 2) {
		fputs("usage: bench-revocation [N M], N of 1000 or more, M half of it or less\n",
			stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	return supervise(bench);
}
