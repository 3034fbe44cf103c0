#include "tests/bench/endorse-bench/points.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS 4 /* x, per second, p50, p99 */

struct row {
	double column[COLUMNS];
};

struct rows {
	struct row *row;
	size_t n;
};

static void rows_free(struct rows *rows)
{
	free(rows->row);
	*rows = (struct rows){0};
}

/* One line's numbers; false when they are not four. */
static bool read_row(const char *line, const char *end, struct row *out)
{
	for (size_t i = 0; i < COLUMNS; i++) {
		char *next;

		out->column[i] = strtod(line, &next);
		if (next == line || next > end || !isfinite(out->column[i]) || out->column[i] <= 0)
			return false;
		line = next;
	}
	return line + strspn(line, " \t\r") >= end;
}

static enum err read_rows(const char *text, struct rows *rows)
{
	size_t number = 0;

	for (const char *end; *text != '\0'; text = *end == '\0' ? end : end + 1) {
		end = strchrnul(text, '\n');
		number++;
		text += strspn(text, " \t\r");
		if (text >= end || *text == '#')
			continue;
		if (rows->n == POINTS_MAX * POINTS_REPEATS)
			return fail(ERR_MALFORMED, "points", "line %zu: more than %zu measurements",
				number, rows->n);
		if (!read_row(text, end, &rows->row[rows->n]))
			return fail(ERR_MALFORMED, "points",
				"line %zu: not four numbers above zero: x, completed per second, "
				"p50 and p99 in "
				"microseconds",
				number);
		rows->n++;
	}
	return OK;
}

static int by_x(const void *a, const void *b)
{
	double x = ((const struct row *)a)->column[0], y = ((const struct row *)b)->column[0];

	return (x > y) - (x < y);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct spread spread_of(const struct row *rows, size_t n, size_t column, double scale)
{
	double values[POINTS_REPEATS];

	for (size_t i = 0; i < n; i++)
		values[i] = rows[i].column[column] * scale;
	qsort(values, n, sizeof(*values), by_value);
	return (struct spread){values[0], (values[(n - 1) / 2] + values[n / 2]) / 2, values[n - 1]};
}

static enum err gather(const struct rows *rows, struct points *out)
{
	for (size_t i = 0, n; i < rows->n; i += n) {
		const struct row *first = &rows->row[i];

		for (n = 1; i + n < rows->n && by_x(first, first + n) == 0;)
			n++;
		if (n > POINTS_REPEATS || out->n == POINTS_MAX)
			return fail(ERR_MALFORMED, "points",
				"more than %d measurements at one place, or %d places",
				POINTS_REPEATS, POINTS_MAX);
		out->at[out->n++] = (struct point){.x = first->column[0],
			.per_second = spread_of(first, n, 1, 1),
			.p50 = spread_of(first, n, 2, 1e-3),
			.p99 = spread_of(first, n, 3, 1e-3)};
	}
	return OK;
}

enum err points_read(const char *text, struct points *out)
{
	AUTO(rows_free)
	struct rows rows = {.row = calloc(POINTS_MAX * POINTS_REPEATS, sizeof(*rows.row))};

	out->n = 0;
	if (rows.row == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "points");
	TRY(read_rows(text, &rows));
	if (rows.n == 0)
		return fail(ERR_MALFORMED, "points", "there is nothing to draw");
	qsort(rows.row, rows.n, sizeof(*rows.row), by_x);
	return gather(&rows, out);
}
