#include "ca/base/clock.h"
#include "db/gathering.h"
#include "tests/check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define CROWD 24

/* Work that stands still until it is let go, and notes who came in which company. */
struct work {
	pthread_mutex_t mutex;
	pthread_cond_t moved;
	bool is_open;
	unsigned alone, together, most, inside;
	enum err outcome; /* of what is done together */
	const void *bad; /* alone it fails */
	unsigned taken[CROWD]; /* how often each was done with success */
};

static struct work work;
static struct gathering gathering;

static void enter(void)
{
	pthread_mutex_lock(&work.mutex);
	work.inside++;
	pthread_cond_broadcast(&work.moved);
	while (!work.is_open)
		pthread_cond_wait(&work.moved, &work.mutex);
	work.inside--;
}

static enum err do_together(void *context, const void *const *what, size_t n)
{
	enum err err = work.outcome;

	assert_ptr_equal(&work, context);
	enter();
	work.together++;
	work.most = n > work.most ? (unsigned)n : work.most;
	for (size_t i = 0; i < n; i++)
		if (what[i] == work.bad)
			err = fail(ERR_CONFLICT, "moved", "one of %zu", n);
		else if (err == OK && n > 0)
			continue;
	if (err == OK)
		for (size_t i = 0; i < n; i++)
			(*(unsigned *)what[i])++;
	pthread_mutex_unlock(&work.mutex);
	return err == OK || err == ERR_CONFLICT ? err : fail(ERR_BUSY, "gone", "all of us");
}

static enum err do_alone(void *context, const void *what)
{
	bool is_bad = what == work.bad;

	assert_ptr_equal(&work, context);
	enter();
	work.alone++;
	if (!is_bad)
		(*(unsigned *)what)++;
	pthread_mutex_unlock(&work.mutex);
	return is_bad ? fail(ERR_CONFLICT, "mine", "only this one") : OK;
}

struct comer {
	pthread_t thread;
	unsigned *what;
	enum err err;
	char code[32];
};

static void *come(void *of_comer)
{
	const struct gathered_work how = {do_together, do_alone, &work};
	struct comer *comer = of_comer;

	comer->err = gathering_run(&gathering, &how, comer->what);
	snprintf(comer->code, sizeof(comer->code), "%s", comer->err == OK ? "" : why()->code);
	return NULL;
}

static void begin(unsigned few, unsigned many)
{
	work = (struct work){.mutex = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
	gathering_init(&gathering, few, many);
}

static unsigned waiting(void)
{
	unsigned n = 0;

	pthread_mutex_lock(&gathering.mutex);
	n = gathering.busy;
	pthread_mutex_unlock(&gathering.mutex);
	return n;
}

/* Bounded: a wait that never ends is a defect, not a test that hangs. */
static void until_inside(unsigned n)
{
	int64_t end = clock_ms() + 20000;
	unsigned inside = 0;

	while (inside < n) {
		assert_true(clock_ms() < end);
		pthread_mutex_lock(&work.mutex);
		inside = work.inside;
		pthread_mutex_unlock(&work.mutex);
	}
	assert_true(waiting() >= 1);
}
