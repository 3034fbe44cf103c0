#include "tests/bench/endorse-bench/options.h"

#include "ca/base/file.h"
#include "tests/bench/endorse-bench/command.h"
#include "tests/bench/endorse-bench/watched.h"

#include <stdlib.h>
#include <string.h>

enum { JSON_MAX = 64 * 1024, MANY = 100 * 1000 * 1000 };

/* What an option's id says; the table below gives each its name. */
enum id {
	ID_URL = 1,
	ID_CA,
	ID_CONNECTIONS,
	ID_THREADS,
	ID_SOURCES,
	ID_REUSE,
	ID_RATE,
	ID_HERD,
	ID_SECONDS,
	ID_PATIENCE,
	ID_DEVICES,
	ID_FIRST,
	ID_WATCH,
	ID_FLEET,
	ID_DATABASE,
	ID_SERVICE,
	ID_TEMPLATES,
	ID_FRESH_AKS,
	ID_JSON,
	ID_HELP,
};

static const struct option table[] = {
	{"url", required_argument, NULL, ID_URL},
	{"ca", required_argument, NULL, ID_CA},
	{"connections", required_argument, NULL, ID_CONNECTIONS},
	{"threads", required_argument, NULL, ID_THREADS},
	{"sources", required_argument, NULL, ID_SOURCES},
	{"reuse", required_argument, NULL, ID_REUSE},
	{"rate", required_argument, NULL, ID_RATE},
	{"herd", required_argument, NULL, ID_HERD},
	{"seconds", required_argument, NULL, ID_SECONDS},
	{"patience", required_argument, NULL, ID_PATIENCE},
	{"devices", required_argument, NULL, ID_DEVICES},
	{"first", required_argument, NULL, ID_FIRST},
	{"watch", required_argument, NULL, ID_WATCH},
	{"fleet", required_argument, NULL, ID_FLEET},
	{"database", required_argument, NULL, ID_DATABASE},
	{"service", required_argument, NULL, ID_SERVICE},
	{"templates", required_argument, NULL, ID_TEMPLATES},
	{"fresh-aks", no_argument, NULL, ID_FRESH_AKS},
	{"json", required_argument, NULL, ID_JSON},
	{"help", no_argument, NULL, ID_HELP},
	{NULL, 0, NULL, 0},
};

enum err number_read(const char *option, const char *text, size_t max, size_t *out)
{
	char *end;
	unsigned long long number = strtoull(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || number == 0 || number > max)
		return fail(ERR_MALFORMED, "usage", "--%s %s: wanted a number from 1 to %zu",
			option, text, max);
	*out = (size_t)number;
	return OK;
}

static enum err seconds_read(const char *option, const char *text, double *out)
{
	char *end;
	double number = strtod(text, &end);
	const bool is_minutes = strcmp(end, "m") == 0;

	if (text[0] < '0' || text[0] > '9' || !(number > 0 && number < 1e6) ||
		!(end[0] == '\0' || is_minutes || strcmp(end, "s") == 0))
		return fail(ERR_MALFORMED, "usage", "--%s %s: wanted a time such as 10s or 2m",
			option, text);
	*out = is_minutes ? number * 60 : number;
	return OK;
}

static enum err rate_read(const char *text, double *out)
{
	char *end;

	*out = strtod(text, &end);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && *out > 0 && *out < 1e6
		       ? OK
		       : fail(ERR_MALFORMED, "usage", "--rate %s: wanted how many a second", text);
}

static enum err take_plan(enum id id, const char *value, struct load_plan *plan)
{
	switch (id) {
	case ID_CONNECTIONS:
		return number_read("connections", value, 1000000, &plan->connections);
	case ID_THREADS:
		return number_read("threads", value, 256, &plan->threads);
	case ID_SOURCES:
		return number_read("sources", value, 50000, &plan->sources);
	case ID_REUSE:
		return number_read("reuse", value, MANY, &plan->reuse);
	case ID_DEVICES:
		return number_read("devices", value, MANY, &plan->errands);
	case ID_RATE:
		return rate_read(value, &plan->rate);
	case ID_HERD:
		return seconds_read("herd", value, &plan->herd_s);
	case ID_SECONDS:
		return seconds_read("seconds", value, &plan->seconds);
	default:
		return seconds_read("patience", value, &plan->patience_s);
	}
}

static enum err take_watch(const char *value, struct options *out)
{
	if (out->watch_n == OPTIONS_WATCH)
		return fail(ERR_MALFORMED, "usage", "--watch: at most %d of them", OPTIONS_WATCH);
	out->watch[out->watch_n++] = value;
	return OK;
}

/* The only number that may be 0. */
static enum err take_first(const char *value, struct options *out)
{
	return strcmp(value, "0") == 0 ? OK : number_read("first", value, MANY, &out->first);
}

static enum err take(enum id id, const char *value, struct options *out)
{
	switch (id) {
	case ID_URL:
		out->plan.url = value;
		return OK;
	case ID_CA:
		out->plan.ca = value;
		return OK;
	case ID_FIRST:
		return take_first(value, out);
	case ID_WATCH:
		return take_watch(value, out);
	case ID_FLEET:
		out->fleet = value;
		return OK;
	case ID_DATABASE:
		out->database = value;
		return OK;
	case ID_SERVICE:
		out->service = value;
		return OK;
	case ID_TEMPLATES:
		out->templates = value;
		return OK;
	case ID_JSON:
		out->json = value;
		return OK;
	case ID_FRESH_AKS:
		out->fresh_aks = true;
		return OK;
	case ID_HELP:
		out->help = true;
		return OK;
	default:
		return take_plan(id, value, &out->plan);
	}
}

enum err options_parse(int argc, char **argv, struct options *out)
{
	int id;

	*out = (struct options){.plan = {.threads = 1}, .templates = "ak"};
	optind = 1;
	opterr = 0;
	while ((id = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (id == '?')
			return fail(ERR_MALFORMED, "usage",
				"%s: no such option, or it lacks its value", argv[optind - 1]);
		TRY(take((enum id)id, optarg, out));
	}
	if (optind < argc)
		return fail(ERR_MALFORMED, "usage", "\"%s\" is no option", argv[optind]);
	if (out->plan.rate > 0 && out->plan.herd_s > 0)
		return fail(ERR_MALFORMED, "usage", "--rate and --herd are two ways to be due");
	return OK;
}

enum err options_need_fleet(const struct options *options)
{
	return options->fleet != NULL ? OK
				      : fail(ERR_MALFORMED, "usage", "--fleet names the devices");
}

enum err options_fit(struct options *options, size_t n)
{
	struct load_plan *plan = &options->plan;

	if (options->first >= n)
		return fail(ERR_MALFORMED, "usage", "--first %zu: there are %zu devices",
			options->first, n);
	if (plan->errands == 0)
		plan->errands =
			options->goes_round && plan->seconds > 0 ? SIZE_MAX : n - options->first;
	if (plan->errands > n - options->first && !options->fresh_aks && !options->goes_round)
		return fail(ERR_MALFORMED, "usage",
			"--devices %zu: there are %zu; --fresh-aks goes round them again",
			plan->errands, n - options->first);
	if (plan->connections == 0)
		plan->connections = plan->herd_s > 0 ? plan->errands : 64;
	if (plan->patience_s <= 0 && plan->herd_s > 0)
		plan->patience_s = 600;
	return OK;
}

enum err options_run(
	const struct options *options, const struct load_work *work, struct figures *out)
{
	AUTO(watched_free) struct watched watched;

	TRY(watched_begin(options->watch, options->watch_n, &watched));
	TRY(load_run(&options->plan, work, out));
	return watched_end(&watched, out);
}

static enum err write_json(const char *path, const struct figures *figures)
{
	AUTO(buf_free) struct buf json = BUF(JSON_MAX);

	figures_json(figures, &json);
	TRY(buf_ok(&json));
	if (strcmp(path, "-") != 0)
		return file_replace(path, 0644, buf_view(&json));
	fputs(buf_text(&json), stdout);
	return OK;
}

static int tell(const struct options *options, const struct figures *figures)
{
	if (options->json == NULL || strcmp(options->json, "-") != 0)
		figures_print(figures, stdout);
	if (options->json != NULL && write_json(options->json, figures) != OK)
		return bench_failed();
	return figures->good == figures->devices ? EXIT_DONE : EXIT_FAILED;
}

int options_command(int argc, char **argv, const char *usage,
	enum err (*run)(struct options *options, struct figures *out))
{
	static struct figures figures;
	struct options options;

	if (options_parse(argc, argv, &options) != OK)
		return bench_misread(usage);
	if (options.help)
		return bench_told(usage);
	if (run(&options, &figures) != OK)
		return bench_failed();
	return tell(&options, &figures);
}
