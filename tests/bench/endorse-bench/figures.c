#include "tests/bench/endorse-bench/figures.h"

#include "tests/bench/endorse-bench/json.h"

#include <inttypes.h>
#include <string.h>

const char *const figures_of_names[FIGURES_OF] = {
	[OF_EDGE] = "edge",
	[OF_SERVICE] = "service",
	[OF_POSTGRES] = "postgres",
	[OF_GENERATOR] = "generator",
};

static const struct {
	const char *name;
	double share;
} percentiles[] = {{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}};

void errors_count(struct figures_errors *errors, const char *code, uint64_t n)
{
	size_t i = 0;

	while (i < errors->n && strcmp(errors->of[i].code, code) != 0)
		i++;
	if (i == errors->n && i == FIGURES_ERRORS - 1 && strcmp(code, "other") != 0) {
		errors_count(errors, "other", n);
		return;
	}
	if (i == FIGURES_ERRORS)
		i--;
	if (i == errors->n)
		snprintf(errors->of[errors->n++].code, sizeof(errors->of[i].code), "%s", code);
	errors->of[i].n += n;
}

static double per_second(const struct figures *figures)
{
	return figures->seconds > 0 ? (double)figures->good / figures->seconds : 0;
}

static double each(const struct figures *figures, double of_all)
{
	return figures->good > 0 ? of_all / (double)figures->good : 0;
}

/* CPU of edge, service and PostgreSQL for one good one, in us; 0 when not measured. */
static double server_us(const struct figures *figures)
{
	return each(figures, figures->cpu_us[OF_EDGE] + figures->cpu_us[OF_SERVICE] +
				     figures->cpu_us[OF_POSTGRES]);
}

static void print_errors(const char *what, const struct figures_errors *errors, FILE *out)
{
	for (size_t i = 0; i < errors->n; i++)
		fprintf(out, "%-10s %8" PRIu64 "  %s\n", i == 0 ? what : "", errors->of[i].n,
			errors->of[i].code);
}

static void print_load(const struct figures *figures, FILE *out)
{
	const struct latency *latency = &figures->latency;

	fprintf(out, "%-10s %8" PRIu64 "  of %" PRIu64 " in %.2f s: %.1f/s", figures->what,
		figures->good, figures->devices, figures->seconds, per_second(figures));
	if (figures->rate > 0)
		fprintf(out, ", due %.1f/s", figures->rate);
	if (figures->herd_s > 0)
		fprintf(out, ", all due within %.0f s", figures->herd_s);
	fprintf(out, ", at most %zu at once\nlatency   ", figures->connections);
	for (size_t i = 0; i < COUNT(percentiles); i++)
		fprintf(out, " %s %.2f ms,", percentiles[i].name,
			(double)latency_percentile(latency, percentiles[i].share) / 1e3);
	fprintf(out, " max %.2f ms\n", (double)latency->max_us / 1e3);
}

static void print_cost(const struct figures *figures, FILE *out)
{
	fputs("CPU of one", out);
	for (size_t i = 0; i < FIGURES_OF; i++)
		if (figures->cpu_us[i] > 0)
			fprintf(out, " %s %.0f us,", figures_of_names[i],
				each(figures, figures->cpu_us[i]));
	fprintf(out, " servers together %.0f us\n", server_us(figures));
	for (size_t i = 0; i < FIGURES_OF; i++)
		if (figures->rss_kib[i] > 0)
			fprintf(out, "memory     %s %.1f MiB, at most %.1f MiB\n",
				figures_of_names[i], (double)figures->rss_kib[i] / 1024,
				(double)figures->peak_kib[i] / 1024);
}

void figures_print(const struct figures *figures, FILE *out)
{
	print_load(figures, out);
	print_errors("refused", &figures->refused, out);
	print_errors("errors", &figures->errors, out);
	print_errors("retried", &figures->retried, out);
	print_cost(figures, out);
}

static void add_latency(const struct latency *latency, struct json *json)
{
	member_object(json, "latency_us");
	member_real(json, "mean",
		latency->count > 0 ? (double)latency->sum_us / (double)latency->count : 0);
	for (size_t i = 0; i < COUNT(percentiles); i++)
		member_whole(json, percentiles[i].name,
			latency_percentile(latency, percentiles[i].share));
	member_whole(json, "max", latency->max_us);
	member_object_end(json);
}

static void add_errors(const char *name, const struct figures_errors *errors, struct json *json)
{
	member_object(json, name);
	for (size_t i = 0; i < errors->n; i++)
		member_whole(json, errors->of[i].code, errors->of[i].n);
	member_object_end(json);
}

static void add_kib(const char *name, const uint64_t kib[static FIGURES_OF], struct json *json)
{
	member_object(json, name);
	for (size_t i = 0; i < FIGURES_OF; i++)
		if (kib[i] > 0)
			member_whole(json, figures_of_names[i], kib[i]);
	member_object_end(json);
}

static void add_cost(const struct figures *figures, struct json *json)
{
	member_object(json, "cpu_us");
	for (size_t i = 0; i < FIGURES_OF; i++)
		/* Who was watched and did nothing has his memory all the same. */
		if (figures->cpu_us[i] > 0 || figures->rss_kib[i] > 0)
			member_real(json, figures_of_names[i], each(figures, figures->cpu_us[i]));
	member_object_end(json);
	add_kib("rss_kib", figures->rss_kib, json);
	add_kib("peak_kib", figures->peak_kib, json);
}

void figures_json(const struct figures *figures, struct buf *out)
{
	struct json json = {.text = *out};

	member_object(&json, NULL);
	member_text(&json, "what", figures->what);
	member_whole(&json, "connections", figures->connections);
	if (figures->rate > 0)
		member_real(&json, "rate", figures->rate);
	if (figures->herd_s > 0)
		member_real(&json, "herd_seconds", figures->herd_s);
	member_whole(&json, "devices", figures->devices);
	member_whole(&json, "good", figures->good);
	member_real(&json, "seconds", figures->seconds);
	member_real(&json, "per_second", per_second(figures));
	add_latency(&figures->latency, &json);
	if (figures->refused.n > 0)
		add_errors("refused", &figures->refused, &json);
	add_errors("errors", &figures->errors, &json);
	add_errors("retried", &figures->retried, &json);
	add_cost(figures, &json);
	member_object_end(&json);
	buf_str(&json.text, "\n");
	*out = json.text;
}
