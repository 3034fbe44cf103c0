#include "tests/bench/endorse-bench/chart.h"

#include "tests/bench/endorse-bench/axis.h"

#include <math.h>
#include <stdio.h>

enum {
	WIDTH = 760,
	HEIGHT = 600,
	LEFT = 64,
	RIGHT = 690,
	UPPER_TOP = 104,
	UPPER_BOTTOM = 304,
	LOWER_TOP = 360,
	LOWER_BOTTOM = 540,
	NAME_HEIGHT = 15,
};

/* Colours that are told apart also by who sees few of them. */
#define BLUE "#0b62a4"
#define GREEN "#1b8a5a"
#define ORANGE "#c8540a"
#define GREY "#5b6770"
#define FAINT "#dfe3e6"

/* One line of a panel. */
struct series {
	const struct spread *first; /* in the first point; the next is a struct point further */
	const char *name, *unit, *colour;
	double lower; /* its name stands so far below its end */
};

struct panel {
	const struct points *points;
	const struct axis *x;
	struct axis y;
	double top, bottom;
	struct buf *svg;
};

static void write_text(struct buf *svg, const char *text)
{
	for (; *text != '\0'; text++)
		switch (*text) {
		case '&':
			buf_str(svg, "&amp;");
			break;
		case '<':
			buf_str(svg, "&lt;");
			break;
		case '>':
			buf_str(svg, "&gt;");
			break;
		/* XML has no other control characters (XML 1.0, 2.2). */
		default:
			buf_add(svg,
				(struct view){
					(const uint8_t *)((unsigned char)*text < ' ' ? " " : text),
					1});
		}
}

static void label(struct buf *svg, double x, double y, const char *how, const char *text)
{
	buf_fmt(svg, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, how);
	write_text(svg, text);
	buf_str(svg, "</text>\n");
}

/* "12000" is hard to read, "12,000" is not. */
static void write_number(double value, char out[static 32])
{
	double whole = round(value);

	if (value >= 1000)
		snprintf(out, 32, "%.0f,%03.0f", floor(whole / 1000), fmod(whole, 1000));
	else
		snprintf(out, 32, "%.3g", value);
}

static const struct spread *spread_at(const struct series *series, size_t i)
{
	return (const struct spread *)((const char *)series->first + i * sizeof(struct point));
}

static void draw_grid(const struct panel *panel)
{
	char number[32];

	for (size_t i = 0; i < panel->y.ticks_n; i++) {
		double y = axis_place(&panel->y, panel->y.ticks[i]);

		write_number(panel->y.ticks[i], number);
		buf_fmt(panel->svg, "<path d=\"M%d %.1fH%d\" stroke=\"%s\"/>\n", LEFT, y, RIGHT,
			FAINT);
		label(panel->svg, LEFT - 8, y + 4, "text-anchor=\"end\" fill=\"" GREY "\"", number);
	}
	for (size_t i = 0; i < panel->x->ticks_n; i++) {
		double x = axis_place(panel->x, panel->x->ticks[i]);

		write_number(panel->x->ticks[i], number);
		buf_fmt(panel->svg, "<path d=\"M%.1f %.1fv5\" stroke=\"%s\"/>\n", x, panel->bottom,
			GREY);
		label(panel->svg, x, panel->bottom + 19, "text-anchor=\"middle\" fill=\"" GREY "\"",
			number);
	}
	buf_fmt(panel->svg, "<path d=\"M%d %.1fH%d\" stroke=\"%s\"/>\n", LEFT, panel->bottom, RIGHT,
		GREY);
}

/* From the least of the repeats to the most: what is within it is noise. */
static void draw_band(const struct panel *panel, const struct series *series)
{
	buf_str(panel->svg, "<path d=\"");
	for (size_t i = 0; i < panel->points->n; i++)
		buf_fmt(panel->svg, "%s%.1f %.1f", i == 0 ? "M" : "L",
			axis_place(panel->x, panel->points->at[i].x),
			axis_place(&panel->y, spread_at(series, i)->low));
	for (size_t i = panel->points->n; i-- > 0;)
		buf_fmt(panel->svg, "L%.1f %.1f", axis_place(panel->x, panel->points->at[i].x),
			axis_place(&panel->y, spread_at(series, i)->high));
	buf_fmt(panel->svg, "Z\" fill=\"%s\" fill-opacity=\"0.16\"/>\n", series->colour);
}

static void draw_marks(const struct panel *panel, const struct series *series)
{
	char x[32], y[32];

	for (size_t i = 0; i < panel->points->n; i++) {
		const struct point *point = &panel->points->at[i];
		const struct spread *spread = spread_at(series, i);

		write_number(point->x, x);
		write_number(spread->middle, y);
		/* What a browser shows under the pointer. */
		buf_fmt(panel->svg,
			"<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"><title>%s: "
			"%s%s%s</title></circle>\n",
			axis_place(panel->x, point->x), axis_place(&panel->y, spread->middle),
			series->colour, x, y, series->unit[0] != '\0' ? " " : "", series->unit);
	}
}

static void draw_series(const struct panel *panel, const struct series *series)
{
	size_t last = panel->points->n - 1;

	draw_band(panel, series);
	buf_str(panel->svg, "<path d=\"");
	for (size_t i = 0; i <= last; i++)
		buf_fmt(panel->svg, "%s%.1f %.1f", i == 0 ? "M" : "L",
			axis_place(panel->x, panel->points->at[i].x),
			axis_place(&panel->y, spread_at(series, i)->middle));
	buf_fmt(panel->svg, "\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>\n",
		series->colour);
	draw_marks(panel, series);
	if (series->name[0] == '\0')
		return;
	buf_fmt(panel->svg,
		"<text x=\"%.1f\" y=\"%.1f\" fill=\"%s\" font-weight=\"bold\">%s</text>\n",
		axis_place(panel->x, panel->points->at[last].x) + 9,
		axis_place(&panel->y, spread_at(series, last)->middle) + 4 + series->lower,
		series->colour, series->name);
}

static void draw_limit(const struct panel *panel, double limit)
{
	double y = axis_place(&panel->y, limit);

	buf_fmt(panel->svg, "<path d=\"M%d %.1fH%d\" stroke=\"%s\" stroke-dasharray=\"6 4\"/>\n",
		LEFT, y, RIGHT, GREY);
	label(panel->svg, LEFT + 6, y + 15, "fill=\"" GREY "\"", "what the processors allow");
}

static void panel_place(struct panel *panel, double top, double bottom)
{
	panel->top = top;
	panel->bottom = bottom;
	panel->y.from = bottom;
	panel->y.to = top;
}

static void draw_throughput(struct panel *panel, const struct chart_words *words)
{
	const struct series series = {&panel->points->at[0].per_second, "", "per second", BLUE, 0};
	double most = words->limit;

	for (size_t i = 0; i < panel->points->n; i++)
		most = fmax(most, spread_at(&series, i)->high);
	axis_make(most, most, true, &panel->y);
	panel_place(panel, UPPER_TOP, UPPER_BOTTOM);
	label(panel->svg, LEFT, panel->top - 14, "font-weight=\"bold\"", words->y);
	draw_grid(panel);
	if (words->limit > 0)
		draw_limit(panel, words->limit);
	draw_series(panel, &series);
}

/* So that neither is written over the other. */
static void part_names(const struct panel *panel, struct series *upper, struct series *lower)
{
	size_t last = panel->points->n - 1;
	double between = axis_place(&panel->y, spread_at(lower, last)->middle) -
			 axis_place(&panel->y, spread_at(upper, last)->middle);

	if (between >= NAME_HEIGHT)
		return;
	lower->lower = (NAME_HEIGHT - between) / 2;
	upper->lower = -lower->lower;
}

static void draw_latency(struct panel *panel, const struct chart_words *words)
{
	struct series p50 = {&panel->points->at[0].p50, "p50", "ms", GREEN, 0};
	struct series p99 = {&panel->points->at[0].p99, "p99", "ms", ORANGE, 0};
	double least = INFINITY, most = 0;

	for (size_t i = 0; i < panel->points->n; i++) {
		least = fmin(least, fmin(spread_at(&p50, i)->low, spread_at(&p99, i)->low));
		most = fmax(most, fmax(spread_at(&p50, i)->high, spread_at(&p99, i)->high));
	}
	axis_make(least, most, false, &panel->y);
	panel_place(panel, LOWER_TOP, LOWER_BOTTOM);
	label(panel->svg, LEFT, panel->top - 14, "font-weight=\"bold\"",
		panel->y.is_log ? "latency in milliseconds, logarithmic"
				: "latency in milliseconds");
	draw_grid(panel);
	part_names(panel, &p99, &p50);
	draw_series(panel, &p99);
	draw_series(panel, &p50);
	label(panel->svg, (LEFT + RIGHT) / 2.0, panel->bottom + 42, "text-anchor=\"middle\"",
		words->x);
}

enum err chart_draw(const struct points *points, const struct chart_words *words, struct buf *svg)
{
	double values[POINTS_MAX];
	struct axis x;
	struct panel panel = {.points = points, .x = &x, .svg = svg};

	for (size_t i = 0; i < points->n; i++)
		values[i] = points->at[i].x;
	axis_of(values, points->n, &x);
	x.from = LEFT;
	x.to = RIGHT;
	buf_fmt(svg,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 "
		"0 %d %d\" "
		"font-family=\"sans-serif\" font-size=\"12\" fill=\"#1f2930\">\n"
		"<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n",
		WIDTH, HEIGHT, WIDTH, HEIGHT, WIDTH, HEIGHT);
	if (words->title != NULL)
		label(svg, LEFT, 34, "font-size=\"18\" font-weight=\"bold\"", words->title);
	if (words->subtitle != NULL)
		label(svg, LEFT, 56, "fill=\"" GREY "\"", words->subtitle);
	draw_throughput(&panel, words);
	draw_latency(&panel, words);
	buf_str(svg, "</svg>\n");
	return buf_ok(svg);
}
