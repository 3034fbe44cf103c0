/* process_stat.h - what /proc tells of a process: whose child it is, what it used, what it holds. */
#pragma once

#include "ca/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process_stat {
	pid_t pid, parent;
	uint64_t started; /* since boot, in ticks: with the pid it names a process for good */
	uint64_t cpu_ns; /* of all its threads, also those that ended */
	uint64_t children_ns; /* of children that it waited for, and of theirs; in whole ticks */
};

struct process_memory {
	uint64_t rss_kib, pss_kib, peak_kib;
};

/* False when it is not there (any more). What waits for its parent has its CPU time still. */
bool process_stat(pid_t pid, struct process_stat *out);
/* Zeroes for what is not told. */
void process_memory(pid_t pid, struct process_memory *out);

/* Everything that runs; `*out` is the caller's, for free(). ERR_INTERNAL "usage-proc". */
CHECKED enum err process_list(struct process_stat **out, size_t *n);
