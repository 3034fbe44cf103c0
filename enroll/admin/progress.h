/* progress.h - how far something is that takes long, on standard error where that is a terminal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	const char *what; /* "devices" */
	bool is_shown;
	int64_t begun, told; /* by clock_ms() */
	size_t n;
};
void progress_begin(struct progress *progress, const char *what);
/* One more. */
void progress_step(struct progress *progress);
/* Takes its line away. */
void progress_end(struct progress *progress);
