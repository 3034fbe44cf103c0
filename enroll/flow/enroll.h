/* enroll.h - the second trip: a proven device is bound to its name and gets its certificates. */
#pragma once

#include "enroll/flow/service.h"
#include "enroll/proto/message.h"

/*
 * POST /v1/enroll. Appends the sealed answer, after everything in it was committed. The steps, each
 * of which ends the request when it fails:
 *
 *   ticket      ERR_UNPROVEN "ticket-invalid", "ticket-expired"
 *   claim       ERR_UNPROVEN "ticket-claim-mismatch"
 *   proof       ERR_UNPROVEN "proof-invalid"
 *   judgement   those of claim_judge(), by today's trust set
 *   request     ERR_MALFORMED, those of request_parse()
 *   keys        those of evidence_judge()
 *   vouching    those of vouching_judge()
 *   records     ERR_CONFLICT "ticket-used", "host-bound-to-another-device",
 *               "device-bound-to-another-host", "ak-of-another-device"; ERR_DENIED "device-revoked", "device-held", "host-revoked",
 *               "certificate-revoked", "ak-superseded", "ak-other-dialect"
 *   policy      those of policy_decide()
 *   templates   those of grants_make()
 *   holding     those of held_keep(), for an EK that nobody vouches for
 *
 * What a proven device was refused is recorded; what an unproven one was is not, nor what one was
 * whose EK nobody vouches for and no record knows. A request that is a check goes through the same
 * steps, and ends before anything is signed or recorded: its answer has no certificate, and the
 * ticket is not used up.
 */
CHECKED enum err enroll(const struct service *service, const struct caller *caller,
	const struct enroll_request *request, struct buf *sealed, struct outcome *outcome);
