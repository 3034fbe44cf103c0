/* attempts_page.h - refusals asked from the service, a page at a time. */
#pragma once

#include "enroll/admin/client.h"
#include "enroll/proto/attempts.h"

/* Which ones; NULL and 0: all. */
struct attempts_filter {
	const char *reason, *host;
	int64_t since;
};

enum attempts_way { ATTEMPTS_AFTER, ATTEMPTS_BEFORE };
#define ATTEMPTS_NEWEST INT64_MAX /* before this are all */

/*
 * At most `limit` after an id in their order, or before one from the newest on. `out` is overwritten,
 * and for attempts_answer_free() also after a failure. Errors of admin_get(), and of
 * attempts_answer_parse().
 */
CHECKED enum err attempts_get(const struct admin_server *server,
	const struct attempts_filter *filter, enum attempts_way way, int64_t id, size_t limit,
	struct attempts_answer *out, struct problem *problem);

/* The last `n`, the oldest of them first, in as many requests as it takes; else as above. */
CHECKED enum err attempts_last(const struct admin_server *server,
	const struct attempts_filter *filter, size_t n, struct attempts_answer *out,
	struct problem *problem);
