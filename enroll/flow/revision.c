#include "enroll/flow/revision.h"

#include "ca/base/clock.h"
#include "ca/base/mem.h"
#include "db/certificate_status.h"

#include <pthread.h>
#include <stdlib.h>

struct revision {
	struct db *db;
	pthread_mutex_t lock; /* over what follows */
	pthread_cond_t answered;
	bool is_asking; /* somebody reads it just now */
	bool is_read, is_failing; /* once; the last time */
	int64_t number; /* as it was read last */
	/* By clock_ms(): before it was read last, and when it could not be. */
	int64_t read_at, failed_at;
};

enum err revision_make(struct db *db, struct revision **out)
{
	struct revision *revision = calloc(1, sizeof(*revision));

	if (revision == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "revision_make");
	revision->db = db;
	pthread_mutex_init(&revision->lock, NULL);
	pthread_cond_init(&revision->answered, NULL);
	*out = revision;
	return OK;
}

void revision_free(struct revision **revision)
{
	if (*revision == NULL)
		return;
	pthread_cond_destroy(&(*revision)->answered);
	pthread_mutex_destroy(&(*revision)->lock);
	free(*revision);
	*revision = NULL;
}

/* May the number be used that was read last? Under the lock, as all below. */
static bool stands(const struct revision *revision)
{
	int64_t age = clock_ms() - revision->read_at;

	return revision->is_read &&
	       (age <= REVISION_STANDS_MS || (revision->is_failing && age <= REVISION_OUTLASTS_MS));
}

/* While it fails, it is tried as often as it would be read. */
static bool is_due(const struct revision *revision)
{
	int64_t last = revision->is_failing ? revision->failed_at : revision->read_at;

	return !revision->is_asking && ((!revision->is_read && !revision->is_failing) ||
					       clock_ms() - last > REVISION_STANDS_MS);
}

static void ask(struct revision *revision)
{
	int64_t begun = clock_ms(), number = 0;
	enum err err;

	revision->is_asking = true;
	pthread_mutex_unlock(&revision->lock);
	err = revocation_revision(revision->db, &number);
	pthread_mutex_lock(&revision->lock);
	revision->is_asking = false;
	revision->is_failing = err != OK;
	if (err == OK) {
		revision->is_read = true;
		revision->number = number;
		revision->read_at = begun;
	} else {
		revision->failed_at = clock_ms();
	}
	pthread_cond_broadcast(&revision->answered);
}

bool revision_now(struct revision *revision, int64_t *out)
{
	bool is_known;

	pthread_mutex_lock(&revision->lock);
	if (is_due(revision))
		ask(revision);
	/* Whoever asks it now either knows soon or fails, which is an end too. */
	while (revision->is_asking && !revision->is_failing && !stands(revision))
		pthread_cond_wait(&revision->answered, &revision->lock);
	is_known = stands(revision);
	*out = revision->number;
	pthread_mutex_unlock(&revision->lock);
	return is_known;
}
