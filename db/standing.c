#include "db/standing.h"

#include "ca/base/clock.h"

#include <string.h>
#include <time.h>

#define TROUBLE_LIFE 30 /* seconds */

/* By a clock that nobody can set, and that goes on while the machine sleeps. */
static int64_t since_boot(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec;
}

void standing_init(struct standing *standing)
{
	pthread_mutex_init(&standing->mutex, NULL);
}

void standing_destroy(struct standing *standing)
{
	pthread_mutex_destroy(&standing->mutex);
}

void standing_hear_clock(struct standing *standing, int64_t theirs)
{
	pthread_mutex_lock(&standing->mutex);
	standing->after_boot = theirs - since_boot();
	standing->clock_known = true;
	pthread_mutex_unlock(&standing->mutex);
}

enum err standing_judge_clock(struct standing *standing, int64_t now)
{
	int64_t ahead;
	char ours[CLOCK_TEXT_SIZE];

	pthread_mutex_lock(&standing->mutex);
	ahead = standing->clock_known ? now - since_boot() - standing->after_boot : 0;
	pthread_mutex_unlock(&standing->mutex);
	if (ahead >= -CLOCK_SKEW && ahead <= CLOCK_SKEW)
		return OK;
	clock_text(now, ours);
	return fail(ERR_BUSY, "clock-differs",
		"this server's clock says %s, %lld seconds %s the database's: at most %d are "
		"allowed; set the one that is wrong",
		ours, (long long)(ahead < 0 ? -ahead : ahead), ahead < 0 ? "behind" : "ahead of",
		CLOCK_SKEW);
}

/* Whether it can be reached is better asked when somebody wants to know. */
static bool is_trouble(enum err err)
{
	return err == ERR_INTERNAL ||
	       (err == ERR_BUSY && strcmp(why()->code, "database-busy") != 0 &&
		       strcmp(why()->code, "database-unreachable") != 0);
}

void standing_note(struct standing *standing, enum err err)
{
	if (err != OK && !is_trouble(err))
		return;
	pthread_mutex_lock(&standing->mutex);
	standing->trouble_until = err == OK ? 0 : since_boot() + TROUBLE_LIFE;
	if (err != OK)
		reason_keep(&standing->trouble);
	pthread_mutex_unlock(&standing->mutex);
}

enum err standing_judge(struct standing *standing)
{
	enum err err = OK;

	pthread_mutex_lock(&standing->mutex);
	if (since_boot() < standing->trouble_until)
		err = fail(ERR_BUSY, standing->trouble.reason.code,
			"the last enrollment failed: %s", standing->trouble.reason.sentence);
	pthread_mutex_unlock(&standing->mutex);
	return err;
}
