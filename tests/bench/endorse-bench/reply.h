/* reply.h - an HTTP/1.1 answer as it comes in (RFC 9112), as far as a client of ours needs it. */
#pragma once

#include "ca/base/mem.h"

enum reply_state { REPLY_PART, REPLY_WHOLE, REPLY_BAD };

/* Zeroes before the first byte. */
struct reply {
	int status; /* 0: the head is not there yet */
	size_t head_n; /* bytes up to the body */
	size_t body_n;
	int64_t retry_after_s; /* -1: not said, or a date */
	bool closes; /* no other request may follow on this connection */
};

/*
 * Looks at all bytes of an answer that have come so far. REPLY_BAD: not HTTP/1.1, a body without a
 * Content-Length (chunked, or up to the end), or one of more than `max` bytes. What follows a whole one is not
 * looked at.
 */
enum reply_state reply_read(struct reply *reply, struct view bytes, size_t max);
