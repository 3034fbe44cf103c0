/* retry.h - how long to go on when the service is away. */
#pragma once

#include "ca/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* One bound over everything that a command asks of the service. */
struct retry {
	int64_t deadline_ms; /* by clock_ms() */
	unsigned tries; /* that failed so far */
	bool once;
};

/* From now on at most `seconds`; 0: every request is tried once. */
void retry_start(struct retry *retry, unsigned seconds);

/* How long one request may take, at least 1. */
int64_t retry_left_ms(const struct retry *retry);

/*
 * Waits before the next try: the `after` seconds that the service asked for and a half to a whole one
 * more, by chance; where it did not (negative), by jittered exponential back-off from 1 s to 30 s. Says so on standard error.
 * ERR_BUSY "service-away" when the bound would be passed; ERR_INTERNAL "interrupted".
 */
CHECKED enum err retry_wait(struct retry *retry, int64_t after, const char *what);

/*
 * Reads a Retry-After value (RFC 9110 10.2.3), seconds or a date, into seconds from `now`; a time
 * that has passed is 0, and more than a day is a day. False when it is neither.
 */
bool retry_after_parse(const char *text, int64_t now, int64_t *seconds);
