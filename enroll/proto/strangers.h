/* strangers.h - who was turned away before proving anything (PROTOCOL.md, "GET /v1/admin/strangers"). */
#pragma once

#include "ca/base/buf.h"
#include "enroll/proto/limits.h"

#define STRANGERS_MAX 256 /* in one answer, and kept */
#define STRANGER_TEXT 513

struct stranger {
	int64_t number; /* grows with each time, since the server started */
	int64_t first_at, at; /* seconds since 1970 */
	int64_t count; /* how often */
	char host[LIMIT_HOST + 1]; /* as it was asked for; "": not known */
	char reason[LIMIT_REASON + 1];
	char sentence[STRANGER_TEXT]; /* what the last one was told */
	char from[64];
	char request_id[64]; /* of the last one */
};

struct strangers_answer {
	int64_t since; /* when the server started */
	int64_t next; /* what `after` of the next request is */
	struct stranger *items; /* in the order of their numbers */
	size_t n;
};
/* Makes room for `n`. */
CHECKED enum err strangers_answer_init(struct strangers_answer *answer, size_t n);
void strangers_answer_free(struct strangers_answer *answer); /* for AUTO; accepts zeroes */

CHECKED enum err strangers_answer_encode(const struct strangers_answer *answer, struct buf *json);
/* `out` is overwritten, and for strangers_answer_free() also after a failure. */
CHECKED enum err strangers_answer_parse(struct view json, struct strangers_answer *out);

/* One of them, as one JSON object. */
CHECKED enum err stranger_encode(const struct stranger *stranger, struct buf *json);
