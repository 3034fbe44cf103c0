/* patience.h - who is not served comes again, as the agent does (enroll/agent/retry.c). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* HTTP's words for "not now". */
bool patience_fits(int status);

/*
 * How long to wait after `tries` that failed: the `after_s` seconds that the service asked for and a half to a
 * whole one more, by chance, however often it was; where it did not (-1), 1 s, doubled with each up to 30 s, of
 * that a random part between half and all.
 */
int64_t patience_wait_us(unsigned tries, int64_t after_s);
