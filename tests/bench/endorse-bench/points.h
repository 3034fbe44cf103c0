/* points.h - what was measured at each number of connections, for a plot. */
#pragma once

#include "ca/base/buf.h"

#define POINTS_MAX 256 /* places along the x axis */
#define POINTS_REPEATS 64 /* measurements at one of them */

/* Of the repeats of one figure. */
struct spread {
	double low, middle, high; /* the median in the middle */
};

struct point {
	double x; /* connections, or whatever was varied */
	struct spread per_second, p50, p99; /* the latter two in milliseconds */
};

struct points {
	struct point at[POINTS_MAX]; /* each x once, ascending */
	size_t n;
};

/*
 * Reads lines of four numbers above zero: x, completed per second, p50 and p99 in microseconds. Lines with the same x
 * are repeats, in any order; what begins with "#" is a comment. ERR_MALFORMED "points" with the line.
 */
CHECKED enum err points_read(const char *text, struct points *out);
