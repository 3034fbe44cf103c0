#include "tests/bench/endorse-bench/floor.h"

#include "tests/bench/endorse-bench/floor/part.h"
#include "tests/bench/endorse-bench/floor/turns.h"

#include <stdlib.h>
#include <string.h>

#define ROUNDS 1000

/* The parts in their order, and behind them what is told beside them; the last two are not blocks of one part. */
enum { BARE_DATABASE = FLOOR_PARTS, P256, RSA2048, ALL, IN_TURNS = ALL, COLD, VALUES };

static const struct part *const parts[ALL] = {
	[FLOOR_HANDSHAKE] = &part_handshake,
	[FLOOR_EK] = &part_ek,
	[FLOOR_CREDENTIAL] = &part_credential,
	[FLOOR_TICKET] = &part_ticket,
	[FLOOR_CERTIFICATE] = &part_certificate,
	[FLOOR_DATABASE] = &part_database,
	[BARE_DATABASE] = &part_bare_database,
	[P256] = &part_p256,
	[RSA2048] = &part_rsa2048,
};

struct floor {
	void *states[ALL];
	struct turns *turns;
	bool has_database, has_bare_database;
	unsigned rounds;
	double us[VALUES][ROUNDS]; /* of one, by round */
};

void floor_close(struct floor **floor)
{
	if (*floor != NULL) {
		turns_free(&(*floor)->turns);
		for (size_t i = 0; i < ALL; i++)
			parts[i]->free((*floor)->states[i]);
	}
	free(*floor);
	*floor = NULL;
}

static bool is_measured(const struct floor *floor, size_t part)
{
	if (part == BARE_DATABASE)
		return floor->has_bare_database;
	return part != FLOOR_DATABASE || floor->has_database;
}

static enum err run(struct floor *floor, size_t part, double *us)
{
	unsigned n = parts[part]->n;
	uint64_t ns;

	TRY(parts[part]->run(floor->states[part], &n, &ns));
	if (n == 0)
		return fail(ERR_INTERNAL, "floor-stalled", "a block has done nothing");
	*us = (double)ns / 1000 / n;
	return OK;
}

/* The first time of each fills caches, and is not for the figures. */
enum err floor_open(const struct floor_plan *plan, struct floor **out)
{
	AUTO(floor_close) struct floor *floor = calloc(1, sizeof(*floor));
	double us;

	if (floor == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "floor_open");
	floor->has_database = !plan->without_database;
	floor->has_bare_database = plan->with_bare_database;
	for (size_t i = 0; i < ALL; i++)
		if (is_measured(floor, i)) {
			TRY(parts[i]->make(plan, &floor->states[i]));
			TRY(run(floor, i, &us));
		}
	TRY(turns_make(parts, floor->states, FLOOR_DATABASE, &floor->turns));
	*out = MOVE(floor);
	return OK;
}

enum err floor_round(struct floor *floor)
{
	if (floor->rounds == ROUNDS)
		return fail(ERR_TOO_LARGE, "too-large", "more than %d rounds", ROUNDS);
	for (size_t i = 0; i < ALL; i++)
		if (is_measured(floor, i))
			TRY(run(floor, i, &floor->us[i][floor->rounds]));
	TRY(turns_run(floor->turns, false, &floor->us[IN_TURNS][floor->rounds]));
	TRY(turns_run(floor->turns, true, &floor->us[COLD][floor->rounds]));
	floor->rounds++;
	return OK;
}

static int by_value(const void *a, const void *b)
{
	double x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

/* Where a fraction of `n` ordered values lies, between two of them where need be. */
static double quantile(const double *ordered, unsigned n, double fraction)
{
	double place = fraction * (n - 1);
	unsigned below = (unsigned)place;

	if (below + 1 >= n)
		return ordered[n - 1];
	return ordered[below] + (place - below) * (ordered[below + 1] - ordered[below]);
}

static void value_of(const struct floor *floor, size_t part, struct floor_value *out)
{
	double ordered[ROUNDS];

	memcpy(ordered, floor->us[part], floor->rounds * sizeof(*ordered));
	qsort(ordered, floor->rounds, sizeof(*ordered), by_value);
	out->us = quantile(ordered, floor->rounds, 0.5);
	out->low_us = quantile(ordered, floor->rounds, 0.25);
	out->high_us = quantile(ordered, floor->rounds, 0.75);
}

void floor_figures(const struct floor *floor, struct floor_figures *out)
{
	struct floor_value p256, rsa2048;

	*out = (struct floor_figures){.rounds = floor->rounds,
		.has_database = floor->has_database,
		.has_bare_database = floor->has_bare_database};
	if (floor->rounds == 0)
		return;
	for (size_t i = 0; i < FLOOR_PARTS; i++) {
		value_of(floor, i, &out->parts[i]);
		out->sum_us += out->parts[i].us;
	}
	value_of(floor, BARE_DATABASE, &out->bare_database);
	value_of(floor, IN_TURNS, &out->in_turns);
	value_of(floor, COLD, &out->cold);
	value_of(floor, P256, &p256);
	value_of(floor, RSA2048, &rsa2048);
	out->p256_signs = 1e6 / p256.us;
	out->rsa2048_signs = 1e6 / rsa2048.us;
}
