/* usage.h - what programs spend: CPU time and memory of processes with all that they started. */
#pragma once

#include "ca/base/err.h"

#include <stdint.h>
#include <sys/types.h>

enum {
	USAGE_GROUPS = 8,
	USAGE_NAME = 24, /* with its NUL */
};

/* Processes by the names under which they are told of; from one thread. */
struct usage;

CHECKED enum err usage_make(struct usage **out);
void usage_free(struct usage **usage);

/*
 * "NAME=PID[,PID]...": each of these and whatever they started. Names of letters, digits and "-", no
 * two the same. ERR_MALFORMED "usage-watch" for another form, ERR_NOT_FOUND "usage-process" when a
 * process is not there, ERR_TOO_LARGE "too-large" beyond USAGE_GROUPS.
 */
CHECKED enum err usage_watch(struct usage *usage, const char *spec);

/*
 * One group, at one moment or between two. CPU time is the sum of the processes' own clocks, which
 * count nanoseconds and threads that ended (clock_getcpuclockid(3)), and of what children had used
 * when they were waited for, which Linux tells in ticks: up to 10 ms are missing where a process
 * ended. What nobody waits for is lost when it ends; it stays counted while it lives, whose child it
 * ever becomes.
 */
struct usage_figures {
	char name[USAGE_NAME];
	uint64_t cpu_ns;
	uint64_t rss_kib; /* VmRSS, added up: what processes share counts for each */
	uint64_t pss_kib; /* what is shared is divided; 0: not told to us */
	uint64_t peak_kib; /* VmHWM of those that live, added up */
	unsigned processes;
};

struct usage_taken {
	uint64_t at_ns; /* by CLOCK_MONOTONIC */
	struct usage_figures groups[USAGE_GROUPS]; /* in the order of the watching */
	size_t groups_n;
};

/*
 * ERR_NOT_FOUND "usage-process" when a process that was named is gone: figures without it would
 * flatter. Costs some microseconds for each process of the machine.
 */
CHECKED enum err usage_take(struct usage *usage, struct usage_taken *out);

/* CPU time and time between the two; memory as of `after`. Both are of one usage, `after` the later. */
void usage_since(
	const struct usage_taken *before, const struct usage_taken *after, struct usage_taken *out);
/* NULL when nothing has that name. */
const struct usage_figures *usage_named(const struct usage_taken *taken, const char *name);
