/* axis.h - one axis of a plot: from values to places, and where its ticks are. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define AXIS_TICKS 40

struct axis {
	bool is_log;
	double low, high; /* values */
	double from, to; /* where these two are drawn */
	double ticks[AXIS_TICKS];
	size_t ticks_n;
};

/*
 * For values from `least` to `most`, both above zero. With round ticks; a logarithmic one where the values differ more
 * than tenfold, from 0 otherwise, or whenever `from_zero`.
 */
void axis_make(double least, double most, bool from_zero, struct axis *axis);
/* For a few given values, ascending: ticks are there, and the axis ends at the first and the last. */
void axis_of(const double *values, size_t n, struct axis *axis);
double axis_place(const struct axis *axis, double value);
