/* histogram.h - how long something took, counted in steps; no lock of its own. */
#pragma once

#include "ca/base/buf.h"

#include <stdint.h>

#define HISTOGRAM_STEPS 13

/* Zeroes: nothing was counted. */
struct histogram {
	uint64_t count[HISTOGRAM_STEPS + 1]; /* the last: longer than all steps */
	uint64_t sum_us;
};

void histogram_add(struct histogram *histogram, int64_t us);

/*
 * Appends the lines of a histogram (Prometheus text format 0.0.4): NAME_bucket, NAME_sum and NAME_count, in
 * seconds. `labels` is "" or what goes into the braces, escaped already, without a comma at its end.
 */
void histogram_write(
	const struct histogram *histogram, const char *name, const char *labels, struct buf *out);
