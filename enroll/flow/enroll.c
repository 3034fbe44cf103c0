#include "enroll/flow/enroll.h"

#include "enroll/flow/issuance.h"
#include "enroll/proto/proof.h"

#include <string.h>

/* One request on its way to a proof. */
struct attempt {
	struct transcript transcript;
	const uint8_t *proof;
	struct ticket ticket;
	struct issuance issuance;
};

static void attempt_free(struct attempt *attempt)
{
	ticket_wipe(&attempt->ticket);
	issuance_free(&attempt->issuance);
}

/* Only for the log: what a ticket says of its rules decides nothing, everything is judged anew. */
static bool is_moved(const struct service *service, const struct ticket *ticket)
{
	return memcmp(ticket->trust_version, trust_version(service->trust), SHA256_SIZE) != 0 ||
	       memcmp(ticket->policy_version, policy_version(service->policy), SHA256_SIZE) != 0;
}

/* Only who can use the TPM that holds EK and AK gets past this. */
static enum err judge_proof(struct attempt *attempt)
{
	uint8_t claim_digest[SHA256_SIZE];

	TRY(SHA256_OF(attempt->issuance.ticket_digest, attempt->transcript.ticket));
	TRY(ticket_open(attempt->issuance.service->tickets, attempt->transcript.ticket,
		attempt->issuance.caller->now, &attempt->ticket));
	attempt->issuance.outcome->is_moved = is_moved(attempt->issuance.service, &attempt->ticket);
	TRY(SHA256_OF(claim_digest, attempt->transcript.claim));
	if (!secret_equal(claim_digest, attempt->ticket.claim_digest, SHA256_SIZE))
		return refuse(ERR_UNPROVEN, "ticket-claim-mismatch", "PROTOCOL ticket",
			"the claim is not, byte for byte, the one that this ticket was made for");
	return proof_check(&attempt->ticket.session, &attempt->transcript, attempt->proof);
}

static enum err digest_request(struct attempt *attempt)
{
	uint8_t request[SHA256_SIZE];

	TRY(SHA256_OF(request, attempt->transcript.request));
	return SHA256_OF(attempt->issuance.request_digest, VIEW(attempt->ticket.claim_digest),
		VIEW(request));
}

static enum err judge_claim(struct issuance *issuance, void *of)
{
	const struct attempt *attempt = of;

	return claim_judge(issuance->service, attempt->transcript.claim, issuance->caller->now,
		&issuance->judgement);
}

static enum err seal(const struct attempt *attempt, struct buf *sealed)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_ANSWER);

	TRY(issuance_answer(&attempt->issuance, &json));
	return answer_seal(&attempt->ticket.session, &attempt->transcript, attempt->proof,
		buf_view(&json), sealed);
}

/* From here on it is the TPM that speaks: what it is refused is recorded. */
static enum err run_proven(struct attempt *attempt, struct buf *sealed)
{
	struct issuance *issuance = &attempt->issuance;

	TRY(issuance_judge_claim(issuance));
	TRY(request_parse(attempt->transcript.request, &issuance->request));
	TRY(issuance_judge_keys(issuance, attempt->transcript.ticket));
	TRY(digest_request(attempt));
	TRY(issuance_run(issuance));
	return seal(attempt, sealed);
}

enum err enroll(const struct service *service, const struct caller *caller,
	const struct enroll_request *request, struct buf *sealed, struct outcome *outcome)
{
	AUTO(attempt_free)
	struct attempt attempt = {
		.transcript = {buf_view(&request->ticket), buf_view(&request->claim),
			buf_view(&request->request)},
		.proof = request->proof,
	};

	issuance_init(&attempt.issuance, service, caller, outcome);
	attempt.issuance.judge = judge_claim;
	attempt.issuance.of = &attempt;
	TRY(judge_proof(&attempt));
	outcome->is_proven = true;
	return issuance_end(&attempt.issuance, run_proven(&attempt, sealed));
}
