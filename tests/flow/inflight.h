/* inflight.h - an enrollment that waits in the database, so that something can happen meanwhile. */
#pragma once

#include "tests/flow/dialogue.h"

#include <libpq-fe.h>
#include <pthread.h>

struct inflight {
	PGconn *holder; /* of the lock */
	pthread_t thread;
};

#define INFLIGHT_TICKETS "LOCK TABLE ticket IN SHARE MODE" /* every enrollment ends in it */

/*
 * Has somebody take a lock by the statement `lock`, sends the enrollment that was prepared up to its
 * proof, and returns when that waits for the lock. Nobody may touch `x` before inflight_end().
 */
void inflight_begin(
	struct inflight *inflight, const char *conninfo, const char *lock, struct dialogue *x);
/* Gives the lock back and waits for the answer. */
void inflight_end(struct inflight *inflight);
