/* vouching.h - what the records say of an EK and its name, before anybody is bound. */
#pragma once

#include "db/enrollment_facts.h"
#include "enroll/flow/judgement.h"

/*
 * Judges the registration of a proven device's EK, and has a claim without a host judged again under the
 * name that its EK is registered for; then raises an EK that no root vouches for to TRUST_ALLOW_LIST or
 * TRUST_APPROVED where a record says so. One that stays TRUST_UNPROVEN is let pass only where its rule holds
 * such, for a ticket that has brought nothing. Nothing is written.
 * ERR_DENIED "host-not-registered", "ek-registered-for-another-host", "host-registered-for-another-ek"; those
 * of claim_judge_as(); identity_doubt() of one that nobody vouches for.
 */
CHECKED enum err vouching_judge(const struct service *service, const struct enrollment_facts *facts,
	int64_t now, struct judgement *judgement);
