/* part.h - one part of the floor: made once, then done again and again. */
#pragma once

#include "tests/bench/endorse-bench/floor.h"

#include <stdint.h>
#include <time.h>

struct part {
	unsigned n; /* how often a block has it done */
	/* What need not be done for each device, and is not counted; `*state` is for `free`. */
	enum err (*make)(const struct floor_plan *plan, void **state);
	/* Does it `*n` times, or as often as it says in `*n`; `*ns` is the CPU time that took. */
	enum err (*run)(void *state, unsigned *n, uint64_t *ns);
	void (*free)(void *state); /* of NULL too */
};

/* In the order of enum floor_part. */
extern const struct part part_handshake, part_ek, part_credential, part_ticket, part_certificate,
	part_database;
/* The same in tables that have keys and nothing else. */
extern const struct part part_bare_database;
/* Bare signatures, as `openssl speed` makes them: what kind of core this is. */
extern const struct part part_p256, part_rsa2048;

/* This thread's CPU time, in nanoseconds. */
static inline uint64_t part_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

/* ERR_INTERNAL "floor-openssl", with what OpenSSL says of it. */
CHECKED enum err part_openssl(const char *what);
