/* judgement.h - a claim that was judged: whose EK, which AK, which name. */
#pragma once

#include "enroll/flow/service.h"
#include "enroll/proto/claim.h"
#include "enroll/tpm/ak.h"
#include "enroll/tpm/identity.h"

/* All of it holds; that EK and AK are in one TPM is shown by the proof, not here. */
struct judgement {
	struct claim *claim;
	struct ak *ak;
	struct identity *identity;
};
void judgement_free(struct judgement *judgement); /* for AUTO */

/*
 * Reads and judges the decoded bytes of a claim; needs no database, so its answer tells nothing of
 * who is enrolled here. ERR_DENIED "wrong-service"; ERR_MALFORMED "host-name" and those of
 * claim_parse(); those of identity_judge() and of ak_judge(), which takes an AK without a tag where
 * the policy's rule for the host does. `out->claim` is set as soon as it could be read.
 */
CHECKED enum err claim_judge(
	const struct service *service, struct view claim, int64_t now, struct judgement *out);
