/* worker.h - one thread of a run: its clients, and what it counted. */
#pragma once

#include "tests/bench/endorse-bench/agenda.h"
#include "tests/bench/endorse-bench/target.h"

struct worker {
	const struct load_plan *plan;
	const struct load_work *work;
	struct agenda *agenda;
	size_t clients_n; /* its share of the plan's connections */
	struct target target;
	/* What it counted: */
	uint64_t done, good;
	int64_t last_us; /* when the last one was done */
	struct latency latency;
	struct figures_errors refused, errors, retried;
	/* Why it could not go on, if it could not. */
	enum err err;
	struct kept_reason reason;
};

/* Works until no errand is left. The members up to `target` are set. For pthread_create(). */
void *worker_run(void *worker);
