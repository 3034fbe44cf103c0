#include "enroll/flow/tally.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tally {
	pthread_mutex_t mutex; /* over what follows */
	struct attempt_counters counted;
};

enum err tally_make(int64_t now, struct tally **out)
{
	struct tally *tally = calloc(1, sizeof(*tally));

	if (tally == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "tally_make");
	pthread_mutex_init(&tally->mutex, NULL);
	tally->counted.since = now;
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
static void count_unproven(struct attempt_counters *counted, const char *reason)
{
	size_t i = 0;

	while (i < counted->unproven_n && strcmp(counted->unproven[i].reason, reason) != 0)
		i++;
	if (i >= ATTEMPT_REASONS - 1) {
		i = ATTEMPT_REASONS - 1;
		reason = "other";
	}
	if (i >= counted->unproven_n) {
		snprintf(counted->unproven[i].reason, sizeof(counted->unproven[i].reason), "%s",
			reason);
		counted->unproven_n = i + 1;
	}
	counted->unproven[i].n++;
}

static void count_success(struct attempt_counters *counted, const char *what)
{
	if (strcmp(what, "issued") == 0)
		counted->issued++;
	else if (strcmp(what, "returned") == 0)
		counted->returned++;
	else if (strcmp(what, "repeated") == 0)
		counted->repeated++;
	else if (strcmp(what, "challenged") == 0)
		counted->tickets++;
}

void tally_add(struct tally *tally, const struct outcome *outcome, enum err err, const char *reason)
{
	struct attempt_counters *counted = &tally->counted;

	pthread_mutex_lock(&tally->mutex);
	if (err == OK) {
		count_success(counted, outcome->what);
	} else if (err == ERR_PENDING) {
		counted->held += outcome->what[0] != '\0';
	} else if (err == ERR_BUSY || err == ERR_INTERNAL) {
		counted->failed++;
	} else if (outcome->is_proven) {
		counted->refused++;
		counted->unrecorded += outcome->is_unrecorded;
	} else {
		count_unproven(counted, reason);
	}
	pthread_mutex_unlock(&tally->mutex);
}

static int by_count(const void *a, const void *b)
{
	const struct attempt_count *x = a, *y = b;

	if (x->n != y->n)
		return x->n < y->n ? 1 : -1;
	return strcmp(x->reason, y->reason);
}

void tally_read(struct tally *tally, struct attempt_counters *out)
{
	pthread_mutex_lock(&tally->mutex);
	*out = tally->counted;
	pthread_mutex_unlock(&tally->mutex);
	qsort(out->unproven, out->unproven_n, sizeof(out->unproven[0]), by_count);
}
