/* latency.h - how long many things took: counted in steps of at most 1 %, in constant memory. */
#pragma once

#include <stdint.h>

/* 128 steps for each doubling: a step is at most 1/128 of its value wide, and up to 127 us exact. */
#define LATENCY_STEP_BITS 7
#define LATENCY_LAST_BIT 36 /* what took longer than 2^36 us, 19 hours, counts as that */
#define LATENCY_STEPS ((LATENCY_LAST_BIT - LATENCY_STEP_BITS + 2) << LATENCY_STEP_BITS)

/* Zeroes are an empty one. 30 KiB: not for small stacks. No lock of its own. */
struct latency {
	uint64_t count;
	uint64_t sum_us;
	uint64_t max_us; /* exact */
	uint64_t steps[LATENCY_STEPS];
};

void latency_add(struct latency *latency, int64_t us); /* a negative one counts as 0 */
/* Adds all of `from`: each thread counts for itself. */
void latency_merge(struct latency *latency, const struct latency *from);
/*
 * The time within which `share` (0.99) of them were done, in us, rounded up to the end of its step
 * and never above the longest; 0 when there were none.
 */
uint64_t latency_percentile(const struct latency *latency, double share);
