/* finding.h - what a doctor found: the levels and the line that all of them tell it in. */
#pragma once

#include <stddef.h>

#define FINDINGS_MAX 128
#define FINDING_TEXT 600

enum finding_level {
	FINDING_OK,
	FINDING_WARN, /* works, and somebody should know */
	FINDING_FAIL, /* keeps devices out, or will, or what is held is of no use */
	FINDING_SKIPPED, /* not looked at; no service says that of itself */
	FINDING_LEVELS,
};
const char *finding_level_text(enum finding_level level); /* "ok", "warn", "fail", "skipped" */

/* One thing that was looked at: what of it, how it is, and for warn and fail also what to do. */
struct finding {
	char area[32]; /* "database" */
	enum finding_level level;
	char text[FINDING_TEXT];
};

struct findings {
	struct finding item[FINDINGS_MAX];
	size_t n;
};

/* Adds one; what does not fit is cut, and what is beyond FINDINGS_MAX is left out, but that the last
 * place says so, and fails when any of it does. The text becomes printable ASCII. */
void finding_add(struct findings *findings, const char *area, enum finding_level level,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));
size_t findings_count(const struct findings *findings, enum finding_level level);

/* A line on standard output: "FAIL database  cannot connect". The text is printable already. */
void finding_print(enum finding_level level, const char *area, const char *text);
void findings_print(const struct findings *findings);
