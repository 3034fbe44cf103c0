#include "tests/bench/endorse-bench/latency.h"

#include <math.h>
#include <stddef.h>

#define LINEAR (1u << LATENCY_STEP_BITS) /* steps of a doubling; below it each value has its own */

/*
 * The step of a value. From LINEAR on, those values whose highest bit is the same share one
 * doubling, and the LATENCY_STEP_BITS bits behind it say which of its steps.
 */
static size_t step_of(uint64_t us)
{
	unsigned bit;

	if (us < LINEAR)
		return us;
	bit = 63u - (unsigned)__builtin_clzll(us);
	if (bit > LATENCY_LAST_BIT)
		return LATENCY_STEPS - 1;
	return ((size_t)(bit - LATENCY_STEP_BITS + 1) << LATENCY_STEP_BITS) +
	       ((us >> (bit - LATENCY_STEP_BITS)) - LINEAR);
}

/* The last value of a step. */
static uint64_t end_of(size_t step)
{
	const size_t doubling = step >> LATENCY_STEP_BITS;

	if (doubling == 0)
		return step;
	return ((uint64_t)((step & (LINEAR - 1)) + LINEAR + 1) << (doubling - 1)) - 1;
}

void latency_add(struct latency *latency, int64_t us)
{
	const uint64_t value = us < 0 ? 0 : (uint64_t)us;

	latency->steps[step_of(value)]++;
	latency->count++;
	latency->sum_us += value;
	if (value > latency->max_us)
		latency->max_us = value;
}

void latency_merge(struct latency *latency, const struct latency *from)
{
	for (size_t i = 0; i < LATENCY_STEPS; i++)
		latency->steps[i] += from->steps[i];
	latency->count += from->count;
	latency->sum_us += from->sum_us;
	if (from->max_us > latency->max_us)
		latency->max_us = from->max_us;
}

uint64_t latency_percentile(const struct latency *latency, double share)
{
	const double wanted = ceil(share * (double)latency->count);
	uint64_t so_far = 0;

	for (size_t i = 0; i < LATENCY_STEPS - 1; i++) {
		so_far += latency->steps[i];
		if (so_far > 0 && (double)so_far >= wanted)
			return end_of(i) < latency->max_us ? end_of(i) : latency->max_us;
	}
	return latency->max_us;
}
