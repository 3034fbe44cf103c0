/* timers.h - who is to be woken when: a heap, the first one on top. */
#pragma once

#include "ca/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
	int64_t when_us;
	size_t who;
};

/* Has room for `max`, made with timers_make(). */
struct timers {
	struct timer *heap;
	size_t n, max;
};
CHECKED enum err timers_make(size_t max, struct timers *out);
void timers_free(struct timers *timers);

void timers_add(struct timers *timers, int64_t when_us, size_t who); /* at most `max` at a time */
const struct timer *timers_first(const struct timers *timers); /* NULL: there is none */
void timers_drop(struct timers *timers); /* the first one */
