/* standing.h - how the database stands: what time it has, and what it could not do. Not for other
 * folders. */
#pragma once

#include "db/pool.h"

#include <pthread.h>

/* Part of a pool; safe from any thread. */
struct standing {
	pthread_mutex_t mutex; /* over what follows */
	bool clock_known;
	int64_t after_boot; /* the database's time, less this machine's time since its boot */
	int64_t trouble_until; /* seconds since boot; 0: nothing is wrong */
	struct kept_reason trouble;
};
void standing_init(struct standing *standing);
void standing_destroy(struct standing *standing);

/* The database has just said what time it is (seconds since 1970). */
void standing_hear_clock(struct standing *standing, int64_t theirs);
/* See db_clock_judge(). */
CHECKED enum err standing_judge_clock(struct standing *standing, int64_t now);

/*
 * How a step of an enrollment ended. OK forgets what was wrong. What the database refused is kept for
 * half a minute, with this thread's reason: it may answer all questions and still be full, or locked.
 * That it cannot be reached, that somebody was faster, or that the pool was busy is not kept.
 */
void standing_note(struct standing *standing, enum err err);
/* Did the last enrollment fail for what the database did? ERR_BUSY with that reason. */
CHECKED enum err standing_judge(struct standing *standing);
