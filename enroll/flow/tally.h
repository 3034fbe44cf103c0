/* tally.h - what this server has answered since it started, counted by reason; in memory only. */
#pragma once

#include "enroll/flow/service.h"
#include "enroll/flow/strangers.h"
#include "enroll/proto/attempts.h"

/* Safe from any thread. `*out` is the caller's, for tally_free(). */
CHECKED enum err tally_make(int64_t now, struct tally **out);
void tally_free(struct tally **tally);

/*
 * Counts one answer to a device. `reason` is why(), not looked at when `err` is OK: codes are words of
 * this program, so what strangers send can add to a count and never makes a new kind of one. Reasons beyond
 * ATTEMPT_REASONS are counted together as "other". Refusals of those that proved nothing, and of those for whose EK nobody
 * vouches, are noted too.
 */
void tally_add(struct tally *tally, const struct caller *caller, const struct outcome *outcome,
	enum err err, const struct reason *reason);
/* Those that were noted, after the number `after`; see strangers_read(). */
CHECKED enum err tally_strangers(struct tally *tally, int64_t after, struct strangers_answer *out);
/* One moment's view of it, with the most frequent reasons first. */
void tally_read(struct tally *tally, struct attempt_counters *out);
