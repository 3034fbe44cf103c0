#include "tests/bench/endorse-bench/chart.h"
#include "tests/bench/endorse-bench/command.h"

#include "ca/base/file.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (1 << 20)
#define SVG_MAX (1 << 21)

static const char usage[] =
	"usage: endorse-bench plot [--out FILE] [--title TEXT] [--subtitle TEXT] [--x TEXT] [--y "
	"TEXT]\n"
	"                          [--limit RATE] FILE\n"
	"\n"
	"Draws throughput and latency as SVG. Each line of FILE has four numbers: connections, "
	"completed\n"
	"per second, p50 and p99 in microseconds. Lines with as many connections are repeats: the "
	"line\n"
	"goes through their medians, and a band shows how much they differ.\n"
	"\n"
	"  --out FILE       where to (standard output)\n"
	"  --title TEXT     over the picture, and\n"
	"  --subtitle TEXT  below that, such as the machine\n"
	"  --x TEXT         what was varied (connections)\n"
	"  --y TEXT         what was counted (enrollments per second)\n"
	"  --limit RATE     a dashed line at the rate that the processors allow\n"
	"\n"
	"Exit status: 0 done; 1 a file cannot be read or written; 2 wrong usage.\n";

struct wish {
	struct chart_words words;
	const char *from, *to;
};

static bool is_rate(const char *text, double *out)
{
	char *end;

	*out = strtod(text, &end);
	return end != text && *end == '\0' && isfinite(*out) && *out > 0;
}

/* EXIT_DONE, or what to end with: `*ended` says which. */
static int read_options(int argc, char **argv, struct wish *wish, bool *ended)
{
	static const struct option options[] = {{"help", no_argument, NULL, 'h'},
		{"limit", required_argument, NULL, 'l'}, {"out", required_argument, NULL, 'o'},
		{"subtitle", required_argument, NULL, 's'}, {"title", required_argument, NULL, 't'},
		{"x", required_argument, NULL, 'x'}, {"y", required_argument, NULL, 'y'},
		{NULL, 0, NULL, 0}};
	int c;

	*ended = true;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 'h':
			return bench_told(usage);
		case 'l':
			if (!is_rate(optarg, &wish->words.limit))
				return bench_misused(usage);
			break;
		case 'o':
			wish->to = optarg;
			break;
		case 's':
			wish->words.subtitle = optarg;
			break;
		case 't':
			wish->words.title = optarg;
			break;
		case 'x':
			wish->words.x = optarg;
			break;
		case 'y':
			wish->words.y = optarg;
			break;
		default:
			return bench_misused(usage);
		}
	if (optind != argc - 1)
		return bench_misused(usage);
	wish->from = argv[optind];
	*ended = false;
	return EXIT_DONE;
}

static enum err draw(const struct wish *wish)
{
	AUTO(buf_free) struct buf text = BUF(TEXT_MAX), svg = BUF(SVG_MAX);
	AUTO(mem_free) struct points *points = calloc(1, sizeof(*points));

	if (points == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "points");
	TRY(file_read(wish->from, &text));
	TRY(points_read(buf_text(&text), points));
	TRY(chart_draw(points, &wish->words, &svg));
	if (wish->to != NULL)
		return file_replace(wish->to, 0644, buf_view(&svg));
	if (fwrite(svg.p, 1, svg.n, stdout) != svg.n || fflush(stdout) != 0)
		return fail(ERR_INTERNAL, "file-write", "standard output: %s", strerror(errno));
	return OK;
}

int command_plot(int argc, char **argv)
{
	struct wish wish = {.words = {.x = "connections", .y = "enrollments per second"}};
	bool ended;
	int code = read_options(argc, argv, &wish, &ended);

	if (ended)
		return code;
	return draw(&wish) == OK ? EXIT_DONE : bench_failed();
}
