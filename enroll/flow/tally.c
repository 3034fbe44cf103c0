#include "enroll/flow/tally.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tally {
	pthread_mutex_t mutex; /* over the view */
	struct tally_view view;
};

enum err tally_make(int64_t now, struct tally **out)
{
	struct tally *tally = calloc(1, sizeof(*tally));

	if (tally == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "tally_make");
	pthread_mutex_init(&tally->mutex, NULL);
	tally->view.since = now;
	*out = tally;
	return OK;
}

void tally_free(struct tally **tally)
{
	if (*tally == NULL)
		return;
	pthread_mutex_destroy(&(*tally)->mutex);
	free(*tally);
	*tally = NULL;
}

/* The last place is kept for "other", so that the table is never too small for a code. */
static void count_unproven(struct tally_view *view, const char *reason)
{
	size_t i = 0;

	while (i < view->unproven_n && strcmp(view->unproven[i].reason, reason) != 0)
		i++;
	if (i >= TALLY_REASONS - 1) {
		i = TALLY_REASONS - 1;
		reason = "other";
	}
	if (i >= view->unproven_n) {
		snprintf(view->unproven[i].reason, TALLY_REASON_SIZE, "%s", reason);
		view->unproven_n = i + 1;
	}
	view->unproven[i].n++;
}

static void count_success(struct tally_view *view, const char *what)
{
	if (strcmp(what, "issued") == 0)
		view->issued++;
	else if (strcmp(what, "returned") == 0)
		view->returned++;
	else if (strcmp(what, "repeated") == 0)
		view->repeated++;
	else if (strcmp(what, "challenged") == 0)
		view->tickets++;
}

void tally_add(struct tally *tally, const struct outcome *outcome, enum err err, const char *reason)
{
	struct tally_view *view = &tally->view;

	pthread_mutex_lock(&tally->mutex);
	if (err == OK) {
		count_success(view, outcome->what);
	} else if (err == ERR_BUSY || err == ERR_INTERNAL) {
		view->failed++;
	} else if (outcome->is_proven) {
		view->refused++;
		view->unrecorded += outcome->is_unrecorded;
	} else {
		count_unproven(view, reason);
	}
	pthread_mutex_unlock(&tally->mutex);
}

static int by_count(const void *a, const void *b)
{
	const struct tally_count *x = a, *y = b;

	if (x->n != y->n)
		return x->n < y->n ? 1 : -1;
	return strcmp(x->reason, y->reason);
}

void tally_read(struct tally *tally, struct tally_view *out)
{
	pthread_mutex_lock(&tally->mutex);
	*out = tally->view;
	pthread_mutex_unlock(&tally->mutex);
	qsort(out->unproven, out->unproven_n, sizeof(out->unproven[0]), by_count);
}
