/* company.h - those who want the same at one time have one of them do it for all. Not for other folders. */
#pragma once

#include "ca/base/err.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COMPANY_MAX 8 /* that one does at once */

/*
 * Who comes while few are at it begins at once, alone. Others wait; each who is through hands over to the
 * first of them, who takes along all who wait by then, COMPANY_MAX at most. So nobody waits for company,
 * and the more come, the more share. Who waited COMPANY_PATIENCE_MS, because those at it are held up,
 * begins too, as long as there are connections.
 */
#define COMPANY_PATIENCE_MS 50

struct company_counts {
	uint64_t began[COMPANY_MAX + 1]; /* how often so many at once */
	uint64_t apart; /* of those, after how many each did his own alone */
	unsigned waiting; /* now */
};

struct company {
	pthread_mutex_t mutex; /* over what follows */
	struct companion *first, *last; /* who wait, as they came */
	unsigned busy;
	struct company_counts counts;
	unsigned few, many; /* fixed: so many at once, and so many when those are held up */
};
void company_init(struct company *company, unsigned few, unsigned many);
void company_destroy(struct company *company);
void company_count(struct company *company, struct company_counts *out);

struct company_work {
	/* All or nothing; never called for fewer than two. */
	enum err (*together)(void *context, const void *const *what, size_t n);
	enum err (*alone)(void *context, const void *what);
	void *context;
};

/*
 * Does `what`, with others or alone, and returns when it is done. What alone() says is what the caller hears,
 * with its reason; of together() only OK, and ERR_BUSY, which is everybody's. After any other error of it
 * each does his own alone, in his own thread: nobody fails for somebody else. `what` may be looked at by
 * another thread until this returns.
 */
CHECKED enum err company_run(
	struct company *company, const struct company_work *work, const void *what);
