/* attempts.h - what was refused and what was counted (PROTOCOL.md, "GET /v1/admin/attempts"). */
#pragma once

#include "ca/base/buf.h"
#include "enroll/proto/limits.h"

#define ATTEMPTS_MAX 1000 /* in one answer */
#define ATTEMPT_TEXT 513
#define ATTEMPT_REASONS 160 /* more than there are reason codes */
#define LIMIT_ADMIN_ANSWER (16 * 1024 * 1024)

/* One refusal of a proven device, as the audit has it. */
struct attempt {
	int64_t id, at; /* at: seconds since 1970 */
	char host[ATTEMPT_TEXT]; /* as it was asked for; "" where the claim could not be read */
	char device_id[LIMIT_DEVICE_ID + 1]; /* "": a TPM that is not known here */
	char reason[LIMIT_REASON + 1];
	char sentence[ATTEMPT_TEXT]; /* what the device was told */
	char from[ATTEMPT_TEXT];
	char request_id[ATTEMPT_TEXT];
};

struct attempt_count {
	char reason[LIMIT_REASON + 1];
	int64_t n;
};

/* What one server has counted since it started. */
struct attempt_counters {
	int64_t since;
	int64_t tickets, issued, returned, repeated; /* answers that were no refusal */
	int64_t held; /* proven devices that were told to wait for an admin */
	int64_t refused; /* proven devices; each is in the audit, but for `unrecorded` */
	int64_t unrecorded;
	int64_t failed; /* answers that failed on the service's side: busy, internal */
	struct attempt_count unproven[ATTEMPT_REASONS]; /* the most frequent first */
	size_t unproven_n;
};

struct attempts_answer {
	struct attempt *items;
	size_t n;
	int64_t next; /* the cursor to go on from */
	bool more;
	/* Ids up to settles_id are complete once an answer's settled_xid has come to settles_xid. */
	int64_t settles_id, settles_xid, settled_xid;
	struct attempt_counters counters;
};
/* Makes room for `n` attempts. */
CHECKED enum err attempts_answer_init(struct attempts_answer *answer, size_t n);
void attempts_answer_free(struct attempts_answer *answer); /* for AUTO; accepts zeroes */

CHECKED enum err attempts_answer_encode(const struct attempts_answer *answer, struct buf *json);
/* `out` is overwritten, and for attempts_answer_free() also after a failure. */
CHECKED enum err attempts_answer_parse(struct view json, struct attempts_answer *out);

/* One attempt, or the counters, as one JSON object. */
CHECKED enum err attempt_encode(const struct attempt *attempt, struct buf *json);
CHECKED enum err attempt_counters_encode(const struct attempt_counters *counters, struct buf *json);
