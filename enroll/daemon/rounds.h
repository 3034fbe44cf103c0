/* rounds.h - a thread that does one thing again and again, until it is told to stop. */
#pragma once

#include "ca/base/err.h"

#include <time.h>

struct rounds;

/*
 * Begins a thread that calls `round` at once, and again so many milliseconds after it has returned.
 * ERR_INTERNAL "thread". `*out` is the caller's, for rounds_stop().
 */
CHECKED enum err rounds_start(
	unsigned pause_ms, void (*round)(void *ctx), void *ctx, struct rounds **out);
/* Waits for the round that it is doing just now. Accepts NULL inside, leaves NULL behind. */
void rounds_stop(struct rounds **rounds);

/* That many seconds from now, by a clock that only goes forward. */
struct timespec rounds_in(time_t seconds);
