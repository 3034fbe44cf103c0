/* held.h - an attempt that waits for an admin: kept, and what its device is told. */
#pragma once

#include "db/enrollment_facts.h"
#include "enroll/flow/judgement.h"

/* One against which nothing stands but that nobody vouches for its EK; borrowed. */
struct held {
	const struct judgement *judgement;
	const struct enrollment_facts *facts;
	const uint8_t *ticket_digest; /* DIGEST_SIZE */
	const char *rule; /* that holds it */
	bool is_check; /* it only asks what would become of it: nothing is recorded */
};

/*
 * Holds it, with what an admin will want to see, and notes its id in `outcome`. Never OK: ERR_PENDING
 * "pending-approval"; ERR_DENIED "attempt-rejected"; those of pending_hold().
 */
CHECKED enum err held_keep(const struct service *service, const struct caller *caller,
	const struct held *held, struct outcome *outcome);
