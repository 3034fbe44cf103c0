#include "tests/bench/endorse-bench/axis.h"

#include <math.h>
#include <string.h>

#define TENFOLD 10
#define MARGIN 0.04 /* of an axis, before its first value and behind its last */

/* The largest of 1, 2, 5 times a power of ten that is not above the value. */
static double round_down(double value)
{
	double power = pow(10, floor(log10(value))), digit = value / power;

	/* 1e-9: log10() of a power of ten may be a hair off. */
	return power * (digit >= 5 - 1e-9 ? 5 : digit >= 2 - 1e-9 ? 2 : 1);
}

static double round_next(double round)
{
	double digit = round / pow(10, floor(log10(round) + 1e-9));

	return round * (digit > 1.5 && digit < 3 ? 2.5 : 2);
}

static void make_log(double least, double most, struct axis *axis)
{
	double tick = round_down(least);

	axis->is_log = true;
	axis->low = tick;
	for (; axis->ticks_n < AXIS_TICKS - 1 && tick < most; tick = round_next(tick))
		axis->ticks[axis->ticks_n++] = tick;
	axis->ticks[axis->ticks_n++] = tick;
	axis->high = tick;
}

static void make_linear(double most, struct axis *axis)
{
	double step = round_down(most / 4);

	for (double tick = 0; axis->ticks_n < AXIS_TICKS; tick += step) {
		axis->ticks[axis->ticks_n++] = tick;
		if (tick >= most)
			break;
	}
	axis->high = axis->ticks[axis->ticks_n - 1];
}

void axis_make(double least, double most, bool from_zero, struct axis *axis)
{
	*axis = (struct axis){.to = 1};
	if (!from_zero && most / least > TENFOLD)
		make_log(least, most, axis);
	else
		make_linear(most, axis);
}

void axis_of(const double *values, size_t n, struct axis *axis)
{
	double room;

	*axis = (struct axis){.low = values[0], .high = values[n - 1], .to = 1};
	axis->is_log = axis->high / axis->low >= TENFOLD;
	for (; axis->ticks_n < n && axis->ticks_n < AXIS_TICKS; axis->ticks_n++)
		axis->ticks[axis->ticks_n] = values[axis->ticks_n];
	if (axis->is_log) {
		room = pow(axis->high / axis->low, MARGIN);
		axis->low /= room;
		axis->high *= room;
		return;
	}
	room = axis->high > axis->low ? (axis->high - axis->low) * MARGIN : axis->low;
	axis->low -= room;
	axis->high += room;
}

double axis_place(const struct axis *axis, double value)
{
	double part = axis->is_log ? log(value / axis->low) / log(axis->high / axis->low)
				   : (value - axis->low) / (axis->high - axis->low);

	return axis->from + part * (axis->to - axis->from);
}
