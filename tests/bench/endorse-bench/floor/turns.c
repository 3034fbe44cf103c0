#include "tests/bench/endorse-bench/floor/turns.h"

#include "ca/base/mem.h"

#include <stdlib.h>

#define OTHER_SIZE                                                                                 \
	((size_t)64 << 20) /* twice the last-level cache that a core has part in, mostly */

enum {
	WARM_TURNS = 20,
	COLD_TURNS = 4, /* the walks take most of it */
	LINE = 64,
};

struct turns {
	const struct part *const *parts;
	void *const *states;
	size_t n;
	uint8_t *other;
};

enum err turns_make(
	const struct part *const *parts, void *const *states, size_t n, struct turns **out)
{
	AUTO(turns_free) struct turns *turns = calloc(1, sizeof(*turns));

	if (turns == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "turns_make");
	turns->parts = parts;
	turns->states = states;
	turns->n = n;
	turns->other = malloc(OTHER_SIZE);
	if (turns->other == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "turns_make");
	*out = MOVE(turns);
	return OK;
}

void turns_free(struct turns **turns)
{
	if (*turns != NULL)
		free((*turns)->other);
	free(*turns);
	*turns = NULL;
}

/* Written, so that no page is the one of zeroes. Code goes with the data: only the smallest caches are parted. */
static void walk(struct turns *turns)
{
	volatile uint8_t *other = turns->other;

	for (size_t i = 0; i < OTHER_SIZE; i += LINE)
		other[i]++;
}

enum err turns_run(struct turns *turns, bool is_cold, double *us)
{
	const unsigned n = is_cold ? COLD_TURNS : WARM_TURNS;
	uint64_t sum = 0;

	for (size_t i = 0; i < n * turns->n; i++) {
		unsigned once = 1;
		uint64_t ns;

		if (is_cold)
			walk(turns);
		TRY(turns->parts[i % turns->n]->run(turns->states[i % turns->n], &once, &ns));
		sum += ns;
	}
	*us = (double)sum / 1000 / n;
	return OK;
}
