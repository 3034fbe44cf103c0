/* challenge.h - the first trip: a judged claim gets a secret that only its TPM can read. */
#pragma once

#include "enroll/flow/service.h"
#include "enroll/proto/message.h"

/*
 * POST /v1/ticket. `claim` are the decoded bytes of the claim; the challenge is filled in. Stores
 * nothing and asks no database. Errors are those of claim_judge().
 */
CHECKED enum err challenge_make(const struct service *service, const struct caller *caller,
	struct view claim, struct challenge *challenge, struct outcome *outcome);
