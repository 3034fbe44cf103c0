#include "tests/bench/trips/together.h"

#include "db/enrollment_batch.h"
#include "db/enrollment_look.h"
#include "db/pool_connection.h"
#include "tests/bench/trips/visit.h"

#include <stdio.h>
#include <stdlib.h>

#define TURNS 25 /* of each; the median is told */
#define GROUPS 8 /* between two looks at the clock */

static const size_t sizes[] = {1, 2, 4, COMPANY_MAX};

struct costs {
	struct cost looks, records;
};

static void look(struct backend *backend, struct visit *visits, size_t n)
{
	AUTO(enrollment_looks_free) struct enrollment_looks looks = {.n = n};
	struct pipeline trip = {.n = 0};

	for (size_t i = 0; i < n; i++)
		looks.of[i] =
			(struct enrollment_look){&visits[i].key, visits[i].now, &visits[i].facts};
	if (enrollment_looks_add(&trip, &looks) != OK ||
		db_run(backend->db, &trip, LOST_REPEAT_ONCE) != OK)
		trips_end(why()->sentence);
}

static void record(struct backend *backend, struct visit *visits, size_t n)
{
	const struct enrollment_record *records[BATCH_MAX];

	for (size_t i = 0; i < n; i++) {
		visit_decide(&visits[i], backend);
		records[i] = &visits[i].record;
	}
	if (n == 1)
		visit_record(visits, backend);
	else if (enrollment_batch_record(backend->db, records, n) != OK)
		trips_end(why()->sentence);
}

static void some(struct backend *backend, size_t size, struct costs *sum)
{
	static struct visit visits[GROUPS][COMPANY_MAX];
	struct cost begin, between, after;

	for (size_t group = 0; group < GROUPS; group++)
		for (size_t i = 0; i < size; i++)
			visit_begin(&visits[group][i], backend, false);
	backend_cost(backend, &begin);
	for (size_t group = 0; group < GROUPS; group++)
		look(backend, visits[group], size);
	backend_cost(backend, &between);
	for (size_t group = 0; group < GROUPS; group++)
		record(backend, visits[group], size);
	backend_cost(backend, &after);
	cost_add(&sum->looks, &begin, &between);
	cost_add(&sum->records, &between, &after);
	for (size_t group = 0; group < GROUPS; group++)
		for (size_t i = 0; i < size; i++)
			visit_end(&visits[group][i]);
}

static void turn(struct backend *backend, size_t size, long n, struct costs *out)
{
	long done = 0;

	*out = (struct costs){.looks = {0}};
	for (; done < n; done += (long)size * GROUPS)
		some(backend, size, out);
	cost_share(&out->looks, done);
	cost_share(&out->records, done);
}

void together_measure(struct backend *backend, long n)
{
	struct cost looks[COUNT(sizes)][TURNS], records[COUNT(sizes)][TURNS];
	struct costs costs;

	for (size_t i = 0; i < TURNS; i++)
		for (size_t s = 0; s < COUNT(sizes); s++) {
			turn(backend, sizes[s], n, &costs);
			looks[s][i] = costs.looks;
			records[s][i] = costs.records;
		}
	for (size_t s = 0; s < COUNT(sizes); s++) {
		qsort(looks[s], TURNS, sizeof(struct cost), cost_compare);
		qsort(records[s], TURNS, sizeof(struct cost), cost_compare);
		printf("%zu together  lookup %4.0f us, record %4.0f us (%.0f to %.0f), %.0f bytes "
		       "of "
		       "WAL\n",
			sizes[s], looks[s][TURNS / 2].cpu_us, records[s][TURNS / 2].cpu_us,
			records[s][0].cpu_us, records[s][TURNS - 1].cpu_us,
			records[s][TURNS / 2].wal);
	}
}
