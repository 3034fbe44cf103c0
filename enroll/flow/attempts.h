/* attempts.h - what the engineer at the line watches: who was refused and why, and the counters. */
#pragma once

#include "enroll/flow/service.h"
#include "enroll/proto/attempts.h"
#include "enroll/proto/strangers.h"

/* Texts as an admin sent them; NULL: not sent. */
struct attempts_wish {
	const char *after, *before; /* one of them, or none: the newest ones, from the newest on */
	const char *limit; /* "1" to "1000"; 100 unless sent */
	const char *since; /* seconds since 1970 */
	const char *reason;
	const char *host; /* * stands for anything */
};

/*
 * Refusals of proven devices after `after` in their order, or before `before` from the newest on; and
 * what this server has counted. `out` is overwritten, and for attempts_answer_free() also after a
 * failure. ERR_MALFORMED "query-value"; ERR_BUSY as refusals_read().
 */
CHECKED enum err attempts_read(const struct service *service, const struct attempts_wish *wish,
	struct attempts_answer *out);

/*
 * Those that this server turned away before they had proven anything, after the number `after` (a text as an
 * admin sent it; NULL: all that are kept). `out` is for strangers_answer_free(). ERR_MALFORMED "query-value".
 */
CHECKED enum err attempts_strangers(
	const struct service *service, const char *after, struct strangers_answer *out);
