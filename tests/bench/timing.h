/* timing.h - how the small benches tell time, and what they say of many times. */
#pragma once

#include <stdlib.h>
#include <time.h>

/* Microseconds by CLOCK_MONOTONIC, CLOCK_THREAD_CPUTIME_ID or another. */
static inline double clock_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static inline double now_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

/* For qsort(). */
static inline int compare_times(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of `n` times, at least one; 100: the longest. Sorts them. */
static inline double percentile(double *times, size_t n, size_t percent)
{
	qsort(times, n, sizeof(*times), compare_times);
	return times[(n - 1) * percent / 100];
}
