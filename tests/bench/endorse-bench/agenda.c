#include "tests/bench/endorse-bench/agenda.h"

#include "ca/base/crypt.h"

#include <stdlib.h>
#include <time.h>

int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t share_of(int64_t whole)
{
	uint32_t dice = 0;

	if (random_bytes((uint8_t *)&dice, sizeof(dice)) != OK)
		return whole;
	return (int64_t)((double)whole * dice / UINT32_MAX);
}

static int compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static enum err draw_moments(const struct load_plan *plan, struct agenda *out)
{
	out->moments = calloc(plan->errands + 1, sizeof(*out->moments));
	if (out->moments == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "a herd of %zu", plan->errands);
	for (size_t i = 0; i < plan->errands; i++)
		out->moments[i] = share_of((int64_t)(plan->herd_s * 1e6));
	qsort(out->moments, plan->errands, sizeof(*out->moments), compare);
	return OK;
}

enum err agenda_make(const struct load_plan *plan, struct agenda *out)
{
	*out = (struct agenda){.plan = plan};
	if (plan->herd_s > 0)
		TRY(draw_moments(plan, out));
	out->start_us = now_us();
	return OK;
}

void agenda_free(struct agenda *agenda)
{
	free(agenda->moments);
	agenda->moments = NULL;
}

static int64_t due(const struct agenda *agenda, size_t i)
{
	if (agenda->moments != NULL)
		return agenda->start_us + agenda->moments[i];
	if (agenda->plan->rate > 0)
		return agenda->start_us + (int64_t)((double)i * 1e6 / agenda->plan->rate);
	return now_us();
}

bool agenda_take(struct agenda *agenda, size_t *errand, int64_t *due_us)
{
	const double seconds = agenda->plan->seconds;

	*errand = atomic_fetch_add(&agenda->next, 1);
	if (*errand >= agenda->plan->errands)
		return false;
	*due_us = due(agenda, *errand);
	return seconds <= 0 || (double)(*due_us - agenda->start_us) < seconds * 1e6;
}
