/* diagnosis.h - what `endorse doctor` found, one sentence each: as lines, or as a JSON array. */
#pragma once

#include "ca/base/buf.h"
#include "enroll/proto/finding.h"

#include <stdbool.h>

struct diagnosis {
	bool as_json; /* kept until diagnosis_end(); otherwise each is printed at once */
	struct buf json;
	unsigned count[FINDING_LEVELS];
};

void diagnosis_begin(struct diagnosis *diagnosis, bool as_json);
void diagnosis_free(struct diagnosis *diagnosis);

/*
 * One finding in an area ("tpm"), cut at 1023 bytes; whatever is not visible ASCII becomes "?",
 * since services and certificates have a hand in it.
 */
void diagnosis_add(struct diagnosis *diagnosis, enum finding_level level, const char *area,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Prints the summary, or the JSON text: [{area, level, text}]. ERR_TOO_LARGE. */
CHECKED enum err diagnosis_end(struct diagnosis *diagnosis);
