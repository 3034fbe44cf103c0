/* agenda.h - which errand is due when: one list for all threads of a run. */
#pragma once

#include "tests/bench/endorse-bench/load.h"

#include <stdatomic.h>

int64_t now_us(void); /* of a clock that only goes forward */

struct agenda {
	const struct load_plan *plan;
	int64_t start_us;
	int64_t *moments; /* of a herd: after the start, the first one first */
	atomic_size_t next;
};

/* It begins now. ERR_INTERNAL "out-of-memory", "random". */
CHECKED enum err agenda_make(const struct load_plan *plan, struct agenda *out);
void agenda_free(struct agenda *agenda);

/*
 * Takes the next errand from the list; false when there is none any more. In a closed loop it is
 * due when it is taken. From any thread.
 */
bool agenda_take(struct agenda *agenda, size_t *errand, int64_t *due_us);

/* A random share of `whole`: jitter, and a herd's moments. */
int64_t share_of(int64_t whole);
