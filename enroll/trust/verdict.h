/* verdict.h - chains that were verified a moment ago: a device sends the same one twice. */
#pragma once

#include "ca/base/crypt.h"
#include "enroll/trust/trust.h"

#define VERDICT_LIFE 300 /* seconds: as long as a ticket lives */

struct verdicts; /* safe from any thread */

/* Remembers at most `slots` chains. NULL when there is no memory. */
struct verdicts *verdicts_make(size_t slots);
void verdicts_free(struct verdicts **verdicts);

/* SHA-256 over all that is asked but the time: the leaf's digest, and each of the others led by its length. */
CHECKED enum err verdict_key(
	const struct trust_question *question, uint8_t key[static SHA256_SIZE]);

/*
 * Was this chain verified at most VERDICT_LIFE before `now`, with nothing that has begun or ended since, and what did
 * it lead to? What was refused is never remembered.
 */
bool verdict_recall(struct verdicts *verdicts, const uint8_t key[static SHA256_SIZE], int64_t now,
	struct trust_verdict *out);
void verdict_remember(struct verdicts *verdicts, const uint8_t key[static SHA256_SIZE], int64_t now,
	const struct trust_verdict *verdict);
