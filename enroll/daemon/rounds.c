#include "enroll/daemon/rounds.h"

#include "ca/base/mem.h"

#include <pthread.h>
#include <stdlib.h>

struct rounds {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t stop;
	bool is_stopping; /* under the mutex */
	unsigned pause_ms;
	void (*round)(void *ctx);
	void *ctx;
};

struct timespec rounds_in(time_t seconds)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += seconds;
	return t;
}

static struct timespec pause_end(unsigned ms)
{
	struct timespec t = rounds_in(ms / 1000);

	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	return t;
}

/* False when it is time to stop. */
static bool rest(struct rounds *rounds)
{
	struct timespec until = pause_end(rounds->pause_ms);
	bool goes_on;

	pthread_mutex_lock(&rounds->mutex);
	while (!rounds->is_stopping &&
		pthread_cond_timedwait(&rounds->stop, &rounds->mutex, &until) == 0)
		;
	goes_on = !rounds->is_stopping;
	pthread_mutex_unlock(&rounds->mutex);
	return goes_on;
}

static void *run(void *arg)
{
	struct rounds *rounds = arg;

	do
		rounds->round(rounds->ctx);
	while (rest(rounds));
	return NULL;
}

enum err rounds_start(unsigned pause_ms, void (*round)(void *ctx), void *ctx, struct rounds **out)
{
	AUTO(mem_free) struct rounds *rounds = calloc(1, sizeof(*rounds));
	pthread_condattr_t monotonic;

	if (rounds == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "rounds_start");
	rounds->pause_ms = pause_ms;
	rounds->round = round;
	rounds->ctx = ctx;
	pthread_mutex_init(&rounds->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&rounds->stop, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (pthread_create(&rounds->thread, NULL, run, rounds) != 0)
		return fail(ERR_INTERNAL, "thread", "cannot make a thread");
	*out = MOVE(rounds);
	return OK;
}

void rounds_stop(struct rounds **rounds)
{
	if (*rounds == NULL)
		return;
	pthread_mutex_lock(&(*rounds)->mutex);
	(*rounds)->is_stopping = true;
	pthread_cond_signal(&(*rounds)->stop);
	pthread_mutex_unlock(&(*rounds)->mutex);
	pthread_join((*rounds)->thread, NULL);
	pthread_cond_destroy(&(*rounds)->stop);
	pthread_mutex_destroy(&(*rounds)->mutex);
	free(*rounds);
	*rounds = NULL;
}
