/* judgement.h - a claim that was judged: whose EK, which AK, which name. */
#pragma once

#include "enroll/flow/service.h"
#include "enroll/proto/claim.h"
#include "enroll/tpm/ak.h"
#include "enroll/tpm/identity.h"

/* All of it holds; that EK and AK are in one TPM is shown by the proof, not here. */
struct judgement {
	struct claim *claim;
	char host[LIMIT_HOST +
		  1]; /* the claim's, or what claim_judge_as() was told; "": none yet */
	struct ak *ak;
	struct identity *identity;
};
void judgement_free(struct judgement *judgement); /* for AUTO */
/* All but the host, which stays empty. ERR_INTERNAL "out-of-memory". */
CHECKED enum err judgement_copy(const struct judgement *from, struct judgement *out);

/*
 * Reads and judges the decoded bytes of a claim; needs no database, so its answer tells nothing of
 * who is enrolled here. ERR_DENIED "wrong-service"; ERR_MALFORMED "host-name" and those of
 * claim_parse(); those of identity_judge() and of ak_judge(). AKs without a tag, and EKs that are
 * expired, or that no root vouches for, are taken where a rule does that may be the host's, for the
 * device's labels are not known. Where the claim has no host an AK needs its tag, and an EK is
 * judged as the rule that takes most would have it. `out->claim` and `out->host` are set as soon as
 * it could be read. What was judged a moment ago is remembered, see judged.h.
 */
CHECKED enum err claim_judge(
	const struct service *service, struct view claim, int64_t now, struct judgement *out);

/*
 * Judges a claim again, as if it had named this host: its EK is registered for it. With `labels`,
 * which the records tell, by the one rule that decides; NULL: not known. Errors as claim_judge()
 * has them.
 */
CHECKED enum err claim_judge_as(const struct service *service, const char *host,
	const struct fact_labels *labels, int64_t now, struct judgement *judgement);
