/* judged.h - claims that were judged a moment ago: a device sends the same one twice, and makes and keys of chips
 * cost more to judge than all the rest of it. */
#pragma once

#include "enroll/flow/judgement.h"

/*
 * Of one snapshot of the service, and so of one trust set and one policy; safe from any thread. What it gives is
 * as good as judging anew: nothing that was judged by has changed, and nothing has begun or ended since. It holds
 * no secret, only what devices sent and what was made of that; what was refused is never remembered.
 */
struct judged;

#define JUDGED_CLAIMS 512 /* that a service remembers: of about 16 KiB each */
#define JUDGED_LIFE TICKET_LIFE /* seconds: so long the second trip may take */

/* Remembers at most `slots` claims, the latest ones. NULL when there is no memory. */
struct judged *judged_make(size_t slots);
void judged_free(struct judged **judged);

/*
 * SHA-256 over the bytes of the claim, the service's name, and the versions of trust set and policy: the rules by which
 * claim_judge() judges come out of these alone.
 */
CHECKED enum err judged_key(
	const struct service *service, struct view claim, uint8_t key[static SHA256_SIZE]);

/*
 * Was this claim judged at most JUDGED_LIFE before `now`, and would it be judged the same at `now`? Then `out`, which
 * is empty, gets all but the host.
 */
bool judged_recall(struct judged *judged, const uint8_t key[static SHA256_SIZE], int64_t now,
	struct judgement *out);
/* Where there is no memory, nothing is remembered. */
void judged_remember(struct judged *judged, const uint8_t key[static SHA256_SIZE], int64_t now,
	const struct judgement *judgement);
