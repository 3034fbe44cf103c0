#include "enroll/flow/tally.h"

#include "ca/base/mem.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tally {
	pthread_mutex_t mutex; /* over what follows */
	struct attempt_counters counted;
	struct strangers *strangers; /* has a lock of its own */
};

enum err tally_make(int64_t now, struct tally **out)
{
	AUTO(mem_free) struct tally *tally = calloc(1, sizeof(*tally));

	if (tally == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "tally_make");
	TRY(strangers_make(&tally->strangers));
	pthread_mutex_init(&tally->mutex, NULL);
	tally->counted.since = now;
	*out = MOVE(tally);
	return OK;
}

void tally_free(struct tally **tally)
{
	if (*tally == NULL)
		return;
	pthread_mutex_destroy(&(*tally)->mutex);
	strangers_free(&(*tally)->strangers);
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

static bool is_trouble(enum err err)
{
	return err == ERR_BUSY || err == ERR_INTERNAL;
}

static bool is_stranger(const struct outcome *outcome)
{
	return !outcome->is_proven || outcome->is_nobodys;
}

void tally_add(struct tally *tally, const struct caller *caller, const struct outcome *outcome,
	enum err err, const struct reason *reason)
{
	struct attempt_counters *counted = &tally->counted;

	if (err != OK && !is_trouble(err) && is_stranger(outcome))
		strangers_add(tally->strangers, caller, outcome, reason);

	pthread_mutex_lock(&tally->mutex);
	if (err == OK) {
		count_success(counted, outcome->what);
	} else if (err == ERR_PENDING) {
		counted->held += outcome->what[0] != '\0';
	} else if (is_trouble(err)) {
		counted->failed++;
	} else if (!is_stranger(outcome)) {
		counted->refused++;
		counted->unrecorded += outcome->is_unrecorded;
	} else {
		count_unproven(counted, reason->code);
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

enum err tally_strangers(struct tally *tally, int64_t after, struct strangers_answer *out)
{
	TRY(strangers_read(tally->strangers, after, out));
	out->since = tally->counted.since; /* never changes */
	return OK;
}
