/* finding.h - what `endorse doctor` found, one sentence each: as lines, or as a JSON array. */
#pragma once

#include "ca/base/buf.h"

#include <stdbool.h>

enum finding_kind {
	FINDING_OK,
	FINDING_WARN, /* works, and somebody should know */
	FINDING_FAIL, /* an enrollment would fail, or what is held is of no use */
	FINDING_SKIPPED, /* not looked at */
	FINDING_KINDS,
};

struct findings {
	bool as_json; /* kept until findings_end(); otherwise each is printed at once */
	struct buf json;
	unsigned count[FINDING_KINDS];
};

void findings_begin(struct findings *findings, bool as_json);
void findings_free(struct findings *findings);

/*
 * One finding of a look ("tpm"), cut at 1023 bytes; whatever is not visible ASCII becomes "?",
 * since services and certificates have a hand in it.
 */
void finding(struct findings *findings, enum finding_kind kind, const char *look, const char *fmt,
	...) __attribute__((format(printf, 4, 5)));

/* Prints the summary, or the JSON text: [{look, kind, text}]. ERR_TOO_LARGE. */
CHECKED enum err findings_end(struct findings *findings);
