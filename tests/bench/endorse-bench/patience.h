/* patience.h - who is not served comes again, as the agent does (enroll/agent/retry.c). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* HTTP's words for "not now". */
bool patience_fits(int status);

/*
 * How long to wait after `tries` that failed: 1 s, doubled with each up to 30 s, of that a random
 * part between half and all; and never less than the `after_s` that the service asked for (-1: it did not),
 * with up to a second on top.
 */
int64_t patience_wait_us(unsigned tries, int64_t after_s);
