/* load.h - many clients at once: errands, each on a new TLS 1.3 connection of its own, when it is due. */
#pragma once

#include "ca/base/buf.h"
#include "tests/bench/endorse-bench/figures.h"

#define LOAD_ANSWER_MAX (64u * 1024 * 1024) /* bytes of an answer's body */
#define LOAD_BEGINNINGS 4

struct load_request {
	const char *method, *path; /* live until the answer is there; path as it is sent */
	const char *type; /* Content-Type, with a body */
	struct buf body; /* the errand appends; the engine empties it when it was sent */
};

/*
 * What clients do. An errand is a row of requests, one after the other on one connection; its
 * functions are called from any of the threads, but never two at once for one errand. What they
 * return is counted by why()'s code.
 */
struct load_work {
	const char *what; /* "enroll" */
	void *ctx;
	size_t keeps; /* bytes that an errand keeps between its requests; zeroes before begin() */
	/* Makes the first request of errand `i`. */
	enum err (*begin)(void *ctx, size_t i, void *kept, struct load_request *out);
	/* Takes the body of an answer with status 200; makes the next request where there is one, and otherwise leaves
	 * `out->path` NULL, which it is: then the errand was good. */
	enum err (*next)(void *ctx, void *kept, struct view body, struct load_request *out);
	/* May be NULL. Takes an answer that has not status 200; OK: it was what is wanted, the errand was good. NULL or an
	 * error: it is counted by the code of its problem, or as "http-STATUS". */
	enum err (*refused)(void *ctx, void *kept, int status, const char *code);
	/* May be NULL. Is the errand to be begun anew after a refusal with this code, as when a ticket grew too old? At most
	 * LOAD_BEGINNINGS times in all. */
	bool (*begins_anew)(const char *code);
	/* May be NULL. Frees what was kept: once for each begin(), also one that failed. */
	void (*end)(void *ctx, void *kept, bool good);
};

struct load_plan {
	const char *url; /* "https://HOST[:PORT]", or http for what is fetched in plain */
	const char *ca; /* PEM file that the edge's certificate chains to */
	size_t errands; /* they have the numbers 0 to errands - 1 */
	size_t connections; /* at most so many at once; what is due and finds none waits, and its clock runs */
	size_t threads;
	size_t sources; /* local addresses from 127.0.1.1 on, in turn; 0: the usual one */
	size_t reuse; /* errands on one connection; 0 and 1: each has a new one */
	double rate; /* open loop: one is due each 1/rate seconds. 0: whenever a connection is free */
	double herd_s; /* each becomes due at a moment drawn from so many seconds; 0: none */
	double seconds; /* begin none after so many; 0: all */
	/* Who is not served (429, 502, 503, 504, no connection, a broken one) comes again, after Retry-After and jitter, as
	 * the agent does, for so many seconds; 0: not at all. */
	double patience_s;
};

/*
 * Runs it and fills in what the engine knows: what was asked, counts, latency, errors, the
 * generator's CPU time. ERR_INTERNAL when the run as a whole was not possible ("bench-url",
 * "bench-ca", "bench-connect", "out-of-memory", ...); errands that fail are no error here.
 */
CHECKED enum err load_run(
	const struct load_plan *plan, const struct load_work *work, struct figures *out);
