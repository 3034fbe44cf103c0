/* watch.h - looks after a running service: can it issue, and what may be swept out? */
#pragma once

#include "enroll/flow/current.h"

struct watch;

/*
 * Begins a thread that asks every few seconds what /readyz asks, and logs when the answer changes:
 * "service.not-ready" with what is wrong, "service.ready". So the database's clock is heard of and
 * the log tells of trouble while nobody enrolls, and one line tells it, not one for each device.
 * Every hour it sweeps out tickets that are of no use any more, and attempts that nobody decided. `current` is borrowed until
 * watch_stop(). ERR_INTERNAL "thread".
 */
CHECKED enum err watch_start(struct current *current, struct watch **out);
/* Waits for what it is asking just now. */
void watch_stop(struct watch **watch);
