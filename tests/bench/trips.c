/* trips.c - what an enrollment and a renewal cost PostgreSQL, in two databases by turns: bench-trips N DB [DB] */
#include "db/devices.h"
#include "tests/bench/timing.h"
#include "tests/bench/trips/backend.h"
#include "tests/bench/trips/together.h"
#include "tests/bench/trips/visit.h"

#include <stdio.h>
#include <stdlib.h>

#define TURNS 25 /* of each, after one that warms; the median is told */
#define SEARCHES 2000
#define DATABASES 2

static struct backend backends[DATABASES];
static size_t backends_n;

static void both_trips(struct backend *backend, bool is_renewal)
{
	struct visit visit;

	visit_begin(&visit, backend, is_renewal);
	visit_look(&visit, backend);
	visit_decide(&visit, backend);
	visit_record(&visit, backend);
	visit_end(&visit);
}

static void turn(struct backend *backend, bool is_renewal, long n, struct cost *out)
{
	struct cost before, after;

	backend_cost(backend, &before);
	for (long i = 0; i < n; i++)
		both_trips(backend, is_renewal);
	backend_cost(backend, &after);
	*out = (struct cost){0};
	cost_add(out, &before, &after);
	cost_share(out, n);
}

/* Turn by turn, for both had the same machine then. */
static void tell_ratio(const char *what, struct cost (*costs)[TURNS])
{
	struct cost ratios[TURNS];

	for (size_t i = 0; i < TURNS; i++)
		ratios[i].cpu_us = costs[1][i].cpu_us / costs[0][i].cpu_us;
	qsort(ratios, TURNS, sizeof(*ratios), cost_compare);
	printf("%-11s ratio %.3f (%.3f to %.3f in half of the turns)\n", what,
		ratios[TURNS / 2].cpu_us, ratios[TURNS / 4].cpu_us, ratios[TURNS * 3 / 4].cpu_us);
}

static void measure(bool is_renewal, long n)
{
	struct cost costs[DATABASES][TURNS], warm;
	const char *what = is_renewal ? "renewal" : "enrollment";

	for (size_t p = 0; p < backends_n; p++) {
		both_trips(&backends[p], is_renewal); /* so that there is a backend */
		turn(&backends[p], is_renewal, n, &warm);
		printf("%-11s %zu: %8.0f us, %6.1f blocks read, while it warms\n", what, p + 1,
			warm.cpu_us, warm.read);
	}
	for (size_t i = 0; i < TURNS; i++)
		for (size_t p = 0; p < backends_n; p++)
			turn(&backends[p], is_renewal, n, &costs[p][i]);
	if (backends_n == DATABASES)
		tell_ratio(what, costs);
	for (size_t p = 0; p < backends_n; p++) {
		const struct cost *median = &costs[p][TURNS / 2];

		qsort(costs[p], TURNS, sizeof(**costs), cost_compare);
		printf("%-11s %zu: %8.0f us of the backend (%.0f to %.0f), %7.0f bytes of WAL, "
		       "%6.1f blocks hit, %5.1f read\n",
			what, p + 1, median->cpu_us, costs[p][0].cpu_us, costs[p][TURNS - 1].cpu_us,
			median->wal, median->hit, median->read);
	}
}

/* The three that an admin comes with: a name, an EK, a certificate. */
static enum err search(struct backend *backend, int by, int row, struct found *out)
{
	PGresult *devices = backend->devices;
	struct devices_query query = {.until = INT64_C(253402300799), .limit = 50};

	if (by == 0)
		query.host = PQgetvalue(devices, row, 2);
	if (by == 1)
		query.ek_digest = (const uint8_t *)PQgetvalue(devices, row, 0);
	if (by == 2) {
		query.serial = (const uint8_t *)PQgetvalue(devices, row, 3);
		query.serial_n = (size_t)PQgetlength(devices, row, 3);
	}
	return devices_find(backend->db, &query, out);
}

static void measure_searches(struct backend *backend, size_t number)
{
	static const char *const words[] = {"name", "EK", "serial"};
	static double times[SEARCHES];

	for (int by = 0; by < 3; by++) {
		for (int i = 0; i < SEARCHES; i++) {
			AUTO(found_free) struct found found = {0};
			double begin = now_us();

			if (search(backend, by, i * 7919 % PQntuples(backend->devices), &found) !=
					OK ||
				found.n != 1)
				trips_end("a search does not find the one device");
			times[i] = now_us() - begin;
		}
		printf("search by %-6s %zu: %.2f ms p50, %.2f ms p99, %.2f ms at most\n", words[by],
			number, percentile(times, SEARCHES, 50) / 1e3,
			percentile(times, SEARCHES, 99) / 1e3,
			percentile(times, SEARCHES, 100) / 1e3);
	}
}

int main(int argc, char **argv)
{
	long n = argc > 2 ? strtol(argv[1], NULL, 10) : 0;

	if (n < 1 || argc > 2 + DATABASES) {
		fputs("usage: bench-trips N CONNINFO [CONNINFO]\n"
		      "Two databases by turns, N trips in each: what the second costs in terms of "
		      "the first.\n",
			stderr);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (backends_n = 0; (int)backends_n < argc - 2; backends_n++)
		backend_open(&backends[backends_n], argv[2 + backends_n]);
	measure(false, n);
	measure(true, n);
	for (size_t p = 0; p < backends_n; p++)
		measure_searches(&backends[p], p + 1);
	for (size_t p = 0; p < backends_n; p++) {
		printf("in database %zu:\n", p + 1);
		together_measure(&backends[p], n);
	}
	for (size_t p = 0; p < backends_n; p++)
		backend_close(&backends[p]);
	return EXIT_SUCCESS;
}
