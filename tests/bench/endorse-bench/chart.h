/* chart.h - throughput and latency against connections, as a picture (SVG 1.1). */
#pragma once

#include "tests/bench/endorse-bench/points.h"

struct chart_words {
	const char *title, *subtitle; /* NULL: none */
	const char *x; /* what was varied: "connections" */
	const char *y; /* what was counted: "enrollments per second" */
	double limit; /* a dashed line in the throughput, at what the processors allow; 0: none */
};

/*
 * Appends the picture: throughput above, p50 and p99 below, medians as lines with what the repeats differ as a band.
 * ERR_TOO_LARGE "too-large" when the buffer has no room for it.
 */
CHECKED enum err chart_draw(
	const struct points *points, const struct chart_words *words, struct buf *svg);
