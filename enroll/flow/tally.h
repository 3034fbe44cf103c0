/* tally.h - what this server has answered since it started, counted by reason; in memory only. */
#pragma once

#include "enroll/flow/service.h"

#define TALLY_REASONS                                                                              \
	160 /* more than there are reason codes; what is beyond is counted as "other" */
#define TALLY_REASON_SIZE 64

struct tally_count {
	char reason[TALLY_REASON_SIZE];
	uint64_t n;
};

/* One moment's view of it. */
struct tally_view {
	int64_t since; /* when counting began */
	uint64_t tickets, issued, returned, repeated; /* answers that were no refusal */
	uint64_t refused; /* proven devices; each is in the audit, but for `unrecorded` */
	uint64_t unrecorded;
	uint64_t failed; /* answers that failed on our side: busy, internal */
	struct tally_count unproven[TALLY_REASONS]; /* the most frequent first */
	size_t unproven_n;
};

/* Safe from any thread. `*out` is the caller's, for tally_free(). */
CHECKED enum err tally_make(int64_t now, struct tally **out);
void tally_free(struct tally **tally);

/*
 * Counts one answer to a device. `reason` is the code of why(), not looked at when `err` is OK: codes are
 * words of this program, so what strangers send can add to a count and never makes a new kind of one.
 */
void tally_add(
	struct tally *tally, const struct outcome *outcome, enum err err, const char *reason);
void tally_read(struct tally *tally, struct tally_view *out);
