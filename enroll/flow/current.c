#include "enroll/flow/current.h"

#include "enroll/flow/judged.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct current {
	pthread_mutex_t lock; /* guards `today` */
	struct service *today; /* which counts as held */
};

enum err current_make(struct service **first, struct current **out)
{
	struct current *current = calloc(1, sizeof(*current));

	if (current == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "current_make");
	pthread_mutex_init(&current->lock, NULL);
	current->today = MOVE(*first);
	current->today->holders = 1;
	*out = current;
	return OK;
}

void current_free(struct current **current)
{
	if (*current == NULL)
		return;
	current_release(*current, &(*current)->today);
	pthread_mutex_destroy(&(*current)->lock);
	free(*current);
	*current = NULL;
}

static struct service *hold(struct service *service)
{
	__atomic_add_fetch(&service->holders, 1, __ATOMIC_RELAXED);
	return service;
}

/* Under the lock, so that it does not go away before it is held. */
struct service *current_take(struct current *current)
{
	struct service *today;

	pthread_mutex_lock(&current->lock);
	today = hold(current->today);
	pthread_mutex_unlock(&current->lock);
	return today;
}

struct service *current_take_made(struct current *current)
{
	struct service *made;

	pthread_mutex_lock(&current->lock);
	made = hold(current->today->parent != NULL ? current->today->parent : current->today);
	pthread_mutex_unlock(&current->lock);
	return made;
}

void current_release(struct current *current, struct service **held)
{
	(void)current;
	service_release(held);
}

enum err current_derive(struct service **made, struct trust **trust,
	const struct imported_state *imported, struct service **out)
{
	struct service *next = calloc(1, sizeof(*next));

	if (next == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "current_derive");
	/* All but the holders, whom others count meanwhile. */
	memcpy(next, *made, offsetof(struct service, holders));
	next->trust = MOVE(*trust);
	next->judged = judged_make(JUDGED_CLAIMS);
	next->imported = *imported;
	if (__atomic_load_n(&(*made)->holders, __ATOMIC_ACQUIRE) == 0)
		hold(*made);
	next->parent = MOVE(*made);
	*out = next;
	return OK;
}

void current_replace(struct current *current, struct service **next)
{
	struct service *old;

	pthread_mutex_lock(&current->lock);
	old = current->today;
	current->today = MOVE(*next);
	current->today->holders = 1;
	pthread_mutex_unlock(&current->lock);
	current_release(current, &old);
}
