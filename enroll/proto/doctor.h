/* doctor.h - the answer to GET /v1/admin/doctor (PROTOCOL.md). */
#pragma once

#include "ca/base/buf.h"
#include "enroll/proto/finding.h"
#include "enroll/proto/limits.h"

struct doctor_answer {
	char service[LIMIT_SERVICE + 1]; /* its name, which is the URL of its edge */
	struct findings findings;
};
CHECKED enum err doctor_answer_encode(const struct doctor_answer *answer, struct buf *json);
CHECKED enum err doctor_answer_parse(struct view json, struct doctor_answer *out);
