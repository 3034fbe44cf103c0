/* watched.h - what the programs of a service spend while it is loaded. */
#pragma once

#include "tests/bench/endorse-bench/figures.h"
#include "tests/bench/endorse-bench/usage.h"

struct watched {
	struct usage *usage;
	struct usage_taken before;
};

/*
 * Begins to watch "NAME=PID[,PID...]", `n` of them; a name is one of figures_of_names but the generator's.
 * ERR_MALFORMED "usage" for another, or the error of usage_watch().
 */
CHECKED enum err watched_begin(const char *const *specs, size_t n, struct watched *out);
/* Tells what they spent since then. ERR_NOT_FOUND "usage-process" when one has ended. */
CHECKED enum err watched_end(struct watched *watched, struct figures *out);
void watched_free(struct watched *watched);
