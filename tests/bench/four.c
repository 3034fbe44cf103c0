/* four.c - how long one enrollment takes that asks for one certificate, and one that asks for four: bench-four [N] */
#include "tests/flow/four.h"
#include "tests/bench/timing.h"
#include "tests/flow/supervise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 1000

static size_t rounds = 200;

struct times {
	double ticket[MOST], enroll[MOST]; /* what the device waits for, with what it computes */
};

/* A device that was never seen, and its whole enrollment for the first `n` of the four. */
static void measure(struct world *world, size_t n, size_t round, struct times *out)
{
	AUTO(mem_free) char *host = text("web-%zu-%zu.example.test", n, round);
	struct four_device device;
	struct four four;
	double begin, middle;

	four_device_make(world, host, &device);
	four_init(&four, world, &device);
	four.x.wants_n = n;
	begin = now_us();
	must(four_prove(&four, world->name), "%s: %s", four.problem.code, four.problem.detail);
	middle = now_us();
	must(four_enroll(&four, four.peer) == 200, "%s: %s", four.problem.code,
		four.problem.detail);
	out->ticket[round] = middle - begin;
	out->enroll[round] = now_us() - middle;
	four_free(&four);
	four_device_free(&device);
}

/* In turns, so that whatever else the machine does falls on both. */
static int bench(void)
{
	static struct times one, four;
	struct world world;
	double one_enroll, four_enroll_us;

	world_make(&(struct world_plan){.policy = four_policy}, &world);
	for (size_t i = 0; i < rounds; i++) {
		measure(&world, 1, i, &one);
		measure(&world, 4, i, &four);
	}
	world_free(&world);
	one_enroll = percentile(one.enroll, rounds, 50);
	four_enroll_us = percentile(four.enroll, rounds, 50);
	printf("medians of %zu enrollments each, P-256 CA, one device at a time\n", rounds);
	printf("                        one      four\n");
	printf("ticket and proof   %8.0f  %8.0f us\n", percentile(one.ticket, rounds, 50),
		percentile(four.ticket, rounds, 50));
	printf("POST /v1/enroll    %8.0f  %8.0f us\n", one_enroll, four_enroll_us);
	printf("ratio of the latter %.2f; each certificate more costs %.0f us\n",
		four_enroll_us / one_enroll, (four_enroll_us - one_enroll) / 3);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		rounds = (size_t)strtoul(argv[1], NULL, 10);
	if (rounds == 0 || rounds > MOST) {
		fprintf(stderr, "usage: bench-four [1..%d]\n", MOST);
		return 2;
	}
	return supervise(bench);
}
