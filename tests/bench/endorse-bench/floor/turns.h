/* turns.h - the floor's parts without the database, done as an enrollment does them: each once, then the next. */
#pragma once

#include "tests/bench/endorse-bench/floor/part.h"

#include <stddef.h>

struct turns;

/* `n` parts and their states, which have to live as long. ERR_INTERNAL "out-of-memory". */
CHECKED enum err turns_make(
	const struct part *const *parts, void *const *states, size_t n, struct turns **out);
void turns_free(struct turns **turns);

/*
 * `*us` is the CPU time of all parts together, on average over some turns. `is_cold`: before each part
 * much other memory is walked, outside of what is timed, so that next to nothing is left in the caches.
 */
CHECKED enum err turns_run(struct turns *turns, bool is_cold, double *us);
