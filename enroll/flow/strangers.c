#include "enroll/flow/strangers.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct strangers {
	pthread_mutex_t mutex; /* over what follows */
	int64_t last; /* number that was given out last */
	size_t n;
	struct stranger item[STRANGERS_MAX]; /* in no order */
};

enum err strangers_make(struct strangers **out)
{
	struct strangers *strangers = calloc(1, sizeof(*strangers));

	if (strangers == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "strangers_make");
	pthread_mutex_init(&strangers->mutex, NULL);
	*out = strangers;
	return OK;
}

void strangers_free(struct strangers **strangers)
{
	if (*strangers == NULL)
		return;
	pthread_mutex_destroy(&(*strangers)->mutex);
	free(*strangers);
	*strangers = NULL;
}

static struct stranger *find(
	struct strangers *strangers, const char *from, const char *host, const char *reason)
{
	for (size_t i = 0; i < strangers->n; i++) {
		struct stranger *item = &strangers->item[i];

		if (strcmp(item->from, from) == 0 && strcmp(item->host, host) == 0 &&
			strcmp(item->reason, reason) == 0)
			return item;
	}
	return NULL;
}

static size_t count_from(const struct strangers *strangers, const char *from)
{
	size_t n = 0;

	for (size_t i = 0; i < strangers->n; i++)
		n += strcmp(strangers->item[i].from, from) == 0;
	return n;
}

static struct stranger *crowded_out(struct strangers *strangers)
{
	struct stranger *oldest = &strangers->item[0];
	size_t most = count_from(strangers, oldest->from);

	for (size_t i = 1; i < strangers->n; i++) {
		struct stranger *item = &strangers->item[i];
		size_t n = count_from(strangers, item->from);

		if (n > most || (n == most && item->number < oldest->number)) {
			most = n;
			oldest = item;
		}
	}
	return oldest;
}

/* A place for an entry that is not there yet. */
static struct stranger *place(struct strangers *strangers)
{
	if (strangers->n < STRANGERS_MAX)
		return &strangers->item[strangers->n++];
	return crowded_out(strangers);
}

void strangers_add(struct strangers *strangers, const struct caller *caller,
	const struct outcome *outcome, const struct reason *reason)
{
	struct stranger *item;

	pthread_mutex_lock(&strangers->mutex);
	item = find(strangers, caller->client_address, outcome->host, reason->code);
	if (item == NULL) {
		item = place(strangers);
		*item = (struct stranger){.first_at = caller->now};
		snprintf(item->from, sizeof(item->from), "%s", caller->client_address);
		snprintf(item->host, sizeof(item->host), "%s", outcome->host);
		snprintf(item->reason, sizeof(item->reason), "%s", reason->code);
	}
	/* The same fault may be told in other words: the issuer's name is in them. */
	snprintf(item->sentence, sizeof(item->sentence), "%s", reason->sentence);
	snprintf(item->request_id, sizeof(item->request_id), "%s", caller->request_id);
	item->at = caller->now;
	item->count++;
	item->number = ++strangers->last;
	pthread_mutex_unlock(&strangers->mutex);
}

static int by_number(const void *a, const void *b)
{
	const struct stranger *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

enum err strangers_read(struct strangers *strangers, int64_t after, struct strangers_answer *out)
{
	TRY(strangers_answer_init(out, STRANGERS_MAX));
	pthread_mutex_lock(&strangers->mutex);
	for (size_t i = 0; i < strangers->n; i++)
		if (strangers->item[i].number > after)
			out->items[out->n++] = strangers->item[i];
	out->next = strangers->last;
	pthread_mutex_unlock(&strangers->mutex);
	qsort(out->items, out->n, sizeof(out->items[0]), by_number);
	return OK;
}
