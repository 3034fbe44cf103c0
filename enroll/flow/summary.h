/* summary.h - one server, and what all of them share, in a few numbers for people. */
#pragma once

#include "enroll/flow/service.h"
#include "enroll/proto/status.h"

/*
 * GET /v1/admin/status. Succeeds also while the database is away, which it says. Of the roots of EK certificates only those
 * are told that end within a year. `out` is overwritten.
 */
CHECKED enum err summary_read(
	const struct service *service, int64_t now, struct status_answer *out);
