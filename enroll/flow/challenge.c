#include "enroll/flow/challenge.h"

#include "enroll/flow/judgement.h"
#include "enroll/tpm/credential.h"

#include <stdio.h>
#include <string.h>

static enum err fill_ticket(
	const struct service *service, struct view claim, int64_t now, struct ticket *ticket)
{
	TRY(random_bytes(ticket->session.bytes, sizeof(ticket->session.bytes)));
	ticket->issued_at = now;
	memcpy(ticket->trust_version, trust_version(service->trust), SHA256_SIZE);
	memcpy(ticket->policy_version, policy_version(service->policy), SHA256_SIZE);
	return SHA256_OF(ticket->claim_digest, claim);
}

enum err challenge_make(const struct service *service, const struct caller *caller,
	struct view claim, struct challenge *challenge, struct outcome *outcome)
{
	AUTO(judgement_free) struct judgement judgement = {0};
	AUTO(ticket_wipe) struct ticket ticket = {0};
	enum err err = claim_judge(service, claim, caller->now, &judgement);

	outcome_rules(outcome, service);
	snprintf(outcome->host, sizeof(outcome->host), "%s", judgement.host);
	TRY(err);
	outcome->is_untagged = ak_is_untagged(judgement.ak);
	TRY(fill_ticket(service, claim, caller->now, &ticket));
	TRY(ticket_seal(service->tickets, &ticket, &challenge->ticket));
	challenge->expires_at = caller->now + TICKET_LIFE;
	outcome->what = "challenged";
	return credential_make(identity_public(judgement.identity), ak_name(judgement.ak),
		VIEW(ticket.session.bytes), &challenge->credential_blob, &challenge->secret);
}
