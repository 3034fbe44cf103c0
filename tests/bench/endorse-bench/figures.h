/* figures.h - everything that one run measured: for people, and as one JSON object. */
#pragma once

#include "ca/base/buf.h"
#include "tests/bench/endorse-bench/latency.h"

#include <stdio.h>

#define FIGURES_ERRORS 32 /* kinds; what comes after them counts as "other" */

/* Whose CPU time and memory is told. */
enum figures_of { OF_EDGE, OF_SERVICE, OF_POSTGRES, OF_GENERATOR, FIGURES_OF };
extern const char *const figures_of_names[FIGURES_OF]; /* "edge" ... as in the JSON */

/* Reasons by their codes, those of PROTOCOL.md and our own ("timeout", "connection"), and how often. */
struct figures_errors {
	struct {
		char code[64];
		uint64_t n;
	} of[FIGURES_ERRORS];
	size_t n;
};
void errors_count(struct figures_errors *errors, const char *code, uint64_t n);

/* Zeroes for what was not measured, and then the JSON has no member for it. */
struct figures {
	const char *what; /* "enroll", "ocsp" */
	size_t connections; /* at most so many at once */
	double rate; /* open loop: due in a second */
	double herd_s; /* all became due within so many seconds */
	uint64_t devices; /* whose errands were done, whatever came of them */
	uint64_t good; /* served as wanted */
	double seconds; /* from the first that was due to the last that was done */
	struct latency latency; /* of the good ones, from when they were due */
	struct figures_errors refused; /* of the good ones, those for whom a refusal was wanted */
	struct figures_errors errors; /* of those that were not served in the end */
	struct figures_errors retried; /* why something was tried again, by the tries */
	double cpu_us[FIGURES_OF]; /* in all */
	uint64_t rss_kib[FIGURES_OF]; /* at the end */
	uint64_t peak_kib[FIGURES_OF];
};

void figures_print(const struct figures *figures, FILE *out);
/*
 * Appends one JSON object: {"what", "connections", "rate", "herd_seconds", "devices", "good", "seconds", "per_second",
 * "latency_us": {"mean", "p50", "p95", "p99", "max"}, "refused", "errors", "retried": {code: n},
 * "cpu_us": {"edge", "service", "postgres", "generator"} (for one good one), "rss_kib": {...}, "peak_kib": {...}}.
 */
void figures_json(const struct figures *figures, struct buf *out);
