#include "enroll/daemon/watch.h"

#include "ca/base/clock.h"
#include "ca/base/log.h"
#include "db/ticket.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LOOK_EVERY 10 /* seconds */
#define TICKETS_KEPT DAY /* far longer than any ticket opens */

struct watch {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t stop;
	bool is_stopping; /* under the mutex */
	/* Fixed, or the thread's own. */
	struct current *current;
	char wrong[64]; /* the code of what was wrong when we looked last; "" */
	bool has_looked;
};

static struct timespec in_seconds(time_t seconds)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += seconds;
	return t;
}

/* One line for each change, however long it lasts. */
static void look(struct watch *watch)
{
	struct service *service = current_take(watch->current);
	const char *name = service->name;
	enum err err = service_ready(service);
	const char *wrong = err == OK ? "" : why()->code;

	current_release(watch->current, &service);
	if (watch->has_looked && strcmp(watch->wrong, wrong) == 0)
		return;
	if (err != OK)
		LOG(WARNING, "service.not-ready", "reason", wrong, "why", why()->sentence);
	else
		LOG(NOTICE, "service.ready", "service", name);
	snprintf(watch->wrong, sizeof(watch->wrong), "%s", wrong);
	watch->has_looked = true;
}

static void sweep(struct watch *watch)
{
	struct service *service = current_take(watch->current);

	if (ticket_purge(service->db, TICKETS_KEPT) != OK)
		LOG(WARNING, "tickets.not-purged", "why", why()->sentence);
	current_release(watch->current, &service);
}

/* False when it is time to stop. */
static bool rest(struct watch *watch)
{
	struct timespec until = in_seconds(LOOK_EVERY);
	bool goes_on;

	pthread_mutex_lock(&watch->mutex);
	while (!watch->is_stopping &&
		pthread_cond_timedwait(&watch->stop, &watch->mutex, &until) == 0)
		;
	goes_on = !watch->is_stopping;
	pthread_mutex_unlock(&watch->mutex);
	return goes_on;
}

static void *run(void *arg)
{
	struct watch *watch = arg;
	time_t next_sweep = in_seconds(HOUR).tv_sec;

	do {
		look(watch);
		if (in_seconds(0).tv_sec >= next_sweep) {
			sweep(watch);
			next_sweep = in_seconds(HOUR).tv_sec;
		}
	} while (rest(watch));
	return NULL;
}

enum err watch_start(struct current *current, struct watch **out)
{
	AUTO(mem_free) struct watch *watch = calloc(1, sizeof(*watch));
	pthread_condattr_t monotonic;

	if (watch == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "watch_start");
	watch->current = current;
	pthread_mutex_init(&watch->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&watch->stop, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (pthread_create(&watch->thread, NULL, run, watch) != 0)
		return fail(ERR_INTERNAL, "thread", "cannot make a thread that watches");
	*out = MOVE(watch);
	return OK;
}

void watch_stop(struct watch **watch)
{
	if (*watch == NULL)
		return;
	pthread_mutex_lock(&(*watch)->mutex);
	(*watch)->is_stopping = true;
	pthread_cond_signal(&(*watch)->stop);
	pthread_mutex_unlock(&(*watch)->mutex);
	pthread_join((*watch)->thread, NULL);
	pthread_cond_destroy(&(*watch)->stop);
	pthread_mutex_destroy(&(*watch)->mutex);
	free(*watch);
	*watch = NULL;
}
