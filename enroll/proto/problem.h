/* problem.h - how a refusal crosses the wire: application/problem+json (RFC 9457). */
#pragma once

#include "ca/base/buf.h"

#define PROBLEM_TYPE "urn:endorse:error:"

/* Appends {type, title, status, detail, reason, request_id} for a refusal. */
CHECKED enum err problem_encode(
	const struct reason *reason, const char *request_id, struct buf *json);

/* The same with a member `attempt`, 32 hexadecimal digits: what is held, and asked for again. */
CHECKED enum err problem_encode_attempt(
	const struct reason *reason, const char *request_id, const char *attempt, struct buf *json);

/* The same with a member `problems`, a list of what is wrong; `lines` has one a line. */
CHECKED enum err problem_encode_list(
	const struct reason *reason, const char *request_id, struct view lines, struct buf *json);
/* Appends that list, one a line: nothing when there is none. */
CHECKED enum err problem_list_parse(struct view json, struct buf *lines);

/* What a client keeps of it; each is cut to its room, unknown members are passed over (RFC
 * 9457 3.2). */
struct problem {
	int status;
	char code[64]; /* the end of `type`, "" when it is not ours */
	char detail[512];
	char reason[128];
	char request_id[64];
	char attempt[33]; /* of what is held, "" otherwise */
};
CHECKED enum err problem_parse(struct view json, struct problem *out);
