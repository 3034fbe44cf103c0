#include "enroll/flow/current.h"

#include <pthread.h>
#include <stdlib.h>

struct current {
	pthread_mutex_t lock; /* guards `today`, and `holders` of every snapshot */
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

struct service *current_take(struct current *current)
{
	struct service *today;

	pthread_mutex_lock(&current->lock);
	today = current->today;
	today->holders++;
	pthread_mutex_unlock(&current->lock);
	return today;
}

void current_release(struct current *current, struct service **held)
{
	bool is_last;

	if (*held == NULL)
		return;
	pthread_mutex_lock(&current->lock);
	is_last = --(*held)->holders == 0;
	pthread_mutex_unlock(&current->lock);
	/* Nobody can take it any more; freeing it needs no lock and holds nobody up. */
	if (is_last)
		service_free(held);
	*held = NULL;
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
