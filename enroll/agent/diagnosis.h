/* diagnosis.h - what `endorse doctor` found, one sentence each: as lines, or as a JSON array. */
#pragma once

#include "ca/base/buf.h"

#include <stdbool.h>

enum diagnosis_kind {
	DIAGNOSIS_OK,
	DIAGNOSIS_WARN, /* works, and somebody should know */
	DIAGNOSIS_FAIL, /* an enrollment would fail, or what is held is of no use */
	DIAGNOSIS_SKIPPED, /* not looked at */
	DIAGNOSIS_KINDS,
};

struct diagnosis {
	bool as_json; /* kept until diagnosis_end(); otherwise each is printed at once */
	struct buf json;
	unsigned count[DIAGNOSIS_KINDS];
};

void diagnosis_begin(struct diagnosis *diagnosis, bool as_json);
void diagnosis_free(struct diagnosis *diagnosis);

/*
 * One finding of a look ("tpm"), cut at 1023 bytes; whatever is not visible ASCII becomes "?",
 * since services and certificates have a hand in it.
 */
void diagnosis_add(struct diagnosis *diagnosis, enum diagnosis_kind kind, const char *look,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Prints the summary, or the JSON text: [{look, kind, text}]. ERR_TOO_LARGE. */
CHECKED enum err diagnosis_end(struct diagnosis *diagnosis);
