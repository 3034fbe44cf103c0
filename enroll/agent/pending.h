/* pending.h - a service that holds an attempt until an admin decides, and how to go on asking it. */
#pragma once

#include "enroll/proto/problem.h"

#include <stdint.h>
#include <stdio.h>

/* What happened, who decides, and the EK's digest to be compared; a line when it was told before. */
void pending_say(FILE *out, const char *server, const char *ek_sha256,
	const struct problem *problem, bool is_first);

/*
 * How long to wait before asking again, in milliseconds: what the service asked for (`after` seconds;
 * negative: it did not), not less than 5 s and not more than 15 minutes, and up to a quarter longer
 * by `dice`, so that a fleet does not come back in step. -1 when `left` milliseconds are not enough.
 */
int64_t pending_delay_ms(int64_t after, int64_t left, uint16_t dice);

/*
 * Waits so long. ERR_PENDING "service-pending" when `deadline`, by clock_ms(), comes before;
 * ERR_INTERNAL "interrupted".
 */
CHECKED enum err pending_wait(int64_t after, int64_t deadline);
