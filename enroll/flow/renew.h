/* renew.h - new certificates for a device that proves itself by its AK alone, under the name it has. */
#pragma once

#include "enroll/flow/service.h"
#include "enroll/proto/renewal.h"

/*
 * POST /v1/renew/ticket. Reads no records: its answer is the same for every AK there is and is not.
 * ERR_MALFORMED "ak-name".
 */
CHECKED enum err renew_ticket(const struct service *service, const struct caller *caller,
	struct view ak_name, struct renewal_ticket_answer *answer, struct outcome *outcome);

/*
 * POST /v1/renew. Appends the answer's JSON text, after everything in it was committed. The steps,
 * each of which ends the request when it fails:
 *
 *   ticket      ERR_UNPROVEN "ticket-invalid", "ticket-expired"
 *   AK          those of ak_judge(); ERR_UNPROVEN "ticket-ak-mismatch"
 *   signature   ERR_UNPROVEN "proof-invalid"
 *   request     ERR_MALFORMED, those of renewal_request_parse()
 *   records     ERR_DENIED "renewal-needs-enrollment", "renewal-name-not-bound"
 *   EK          those of claim_judge(), by today's trust set, of what the records have of the EK
 *   keys        those of evidence_judge()
 *   the rest    as an enrollment (enroll.h), from "vouching" on; an EK that nobody vouches for is
 *               refused, not held
 *
 * Anybody can make a key that looks like an AK, and sign with it: only an AK of the records is
 * believed to be in a TPM, and what others are refused is not recorded.
 */
CHECKED enum err renew(const struct service *service, const struct caller *caller,
	const struct renew_request *request, struct buf *answer, struct outcome *outcome);
