#include "tests/bench/endorse-bench/timers.h"

#include <assert.h>
#include <stdlib.h>

enum err timers_make(size_t max, struct timers *out)
{
	*out = (struct timers){.heap = calloc(max, sizeof(*out->heap)), .max = max};
	return out->heap != NULL ? OK : fail(ERR_INTERNAL, "out-of-memory", "%zu timers", max);
}

void timers_free(struct timers *timers)
{
	free(timers->heap);
	*timers = (struct timers){.n = 0};
}

static void swap(struct timer *a, struct timer *b)
{
	const struct timer kept = *a;

	*a = *b;
	*b = kept;
}

void timers_add(struct timers *timers, int64_t when_us, size_t who)
{
	struct timer *heap = timers->heap;
	size_t i = timers->n++;

	assert(i < timers->max);
	heap[i] = (struct timer){when_us, who};
	for (; i > 0 && heap[(i - 1) / 2].when_us > heap[i].when_us; i = (i - 1) / 2)
		swap(&heap[i], &heap[(i - 1) / 2]);
}

const struct timer *timers_first(const struct timers *timers)
{
	return timers->n > 0 ? &timers->heap[0] : NULL;
}

/* The earlier one of i's children, or i where it has none that is earlier. */
static size_t earlier(const struct timers *timers, size_t i)
{
	size_t first = i;

	for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < timers->n; child++)
		if (timers->heap[child].when_us < timers->heap[first].when_us)
			first = child;
	return first;
}

void timers_drop(struct timers *timers)
{
	size_t i = 0, next;

	timers->heap[0] = timers->heap[--timers->n];
	while ((next = earlier(timers, i)) != i) {
		swap(&timers->heap[i], &timers->heap[next]);
		i = next;
	}
}
