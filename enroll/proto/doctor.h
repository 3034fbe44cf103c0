/* doctor.h - what was found in a look at the service (PROTOCOL.md, "GET /v1/admin/doctor"). */
#pragma once

#include "ca/base/buf.h"
#include "enroll/proto/limits.h"

#define FINDINGS_MAX 128
#define FINDING_TEXT 600

enum finding_level { FINDING_OK, FINDING_WARN, FINDING_FAIL };
const char *finding_level_text(enum finding_level level); /* "ok", "warn", "fail" */

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

struct doctor_answer {
	char service[LIMIT_SERVICE + 1]; /* its name, which is the URL of its edge */
	struct findings findings;
};
CHECKED enum err doctor_answer_encode(const struct doctor_answer *answer, struct buf *json);
CHECKED enum err doctor_answer_parse(struct view json, struct doctor_answer *out);
