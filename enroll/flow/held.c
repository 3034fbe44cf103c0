#include "enroll/flow/held.h"

#include "ca/base/encode.h"
#include "db/pending.h"
#include "policy/network.h"

#include <string.h>

/* NULL: not known. */
static const char *filled(const char *text)
{
	return text[0] == '\0' ? NULL : text;
}

static enum err record(const struct service *service, const struct caller *caller,
	const struct held *held, uint8_t attempt_id[static ATTEMPT_ID_SIZE])
{
	const struct hold *hold = policy_hold(service->policy);
	char source[INET6_ADDRSTRLEN] = "";
	const struct pending_limits limits = {(unsigned)hold->attempts, (unsigned)hold->per_ek,
		(unsigned)hold->per_address, (unsigned)hold->days};
	const struct claim *claim = held->judgement->claim;
	const struct identity *identity = held->judgement->identity;
	const struct tpm_name *name = ak_name(held->judgement->ak);
	const struct pending_record record = {
		.attempt_id = attempt_id,
		.ticket_digest = held->ticket_digest,
		.ek_digest = identity_ek_digest(identity),
		.ek_public = identity_public(identity),
		.ek_certificate = identity_certificate(identity),
		.chain = claim->ek_chain,
		.chain_n = claim->ek_chain_n,
		.ak_name = {name->bytes, name->n},
		.host = held->judgement->host,
		.manufacturer = filled(identity_claimed_manufacturer(identity)),
		.model = filled(identity_claimed_model(identity)),
		.version = filled(identity_claimed_version(identity)),
		.code = identity_doubt(identity)->code,
		.sentence = identity_doubt(identity)->sentence,
		.rule = held->rule,
		.request_id = caller->request_id,
		.client_address = caller->client_address,
		.source = hold_is_exempt(hold, caller->client_address) ? NULL : source,
		.now = caller->now,
	};
	struct pending_ticket ticket;

	network_source(caller->client_address, source);
	TRY(random_bytes(attempt_id, ATTEMPT_ID_SIZE));
	TRY(pending_hold(service->db, &record, &limits, &ticket));
	memcpy(attempt_id, ticket.attempt_id, ATTEMPT_ID_SIZE);
	return OK;
}

/* What an admin wrote about it is not for the device. */
static enum err rejected(void)
{
	return refuse(ERR_DENIED, "attempt-rejected", "policy: unknown_ek",
		"nobody vouches for this TPM's EK, and an admin has rejected this attempt: ask the "
		"admin, who can accept it still (endorsectl pending accept-once)");
}

static enum err pending(const struct held *held, const struct outcome *outcome)
{
	const char *code = identity_doubt(held->judgement->identity)->code;

	if (outcome->attempt[0] == '\0')
		return refuse(ERR_PENDING, "pending-approval", "policy: unknown_ek",
			"nothing stands against it but that nobody vouches for this TPM's EK (%s): "
			"enrolling would wait for an admin",
			code);
	return refuse(ERR_PENDING, "pending-approval", "policy: unknown_ek",
		"nobody vouches for this TPM's EK (%s): an admin is to decide about attempt %s; "
		"ask "
		"again with a new ticket in %u s",
		code, outcome->attempt, outcome->retry_after);
}

enum err held_keep(const struct service *service, const struct caller *caller,
	const struct held *held, struct outcome *outcome)
{
	uint8_t attempt_id[ATTEMPT_ID_SIZE];

	if (held->facts->attempt_rejected)
		return rejected();
	outcome->retry_after = (unsigned)policy_hold(service->policy)->retry_after;
	memcpy(attempt_id, held->facts->attempt_id, ATTEMPT_ID_SIZE);
	if (!held->is_check) {
		TRY(record(service, caller, held, attempt_id));
		outcome->what = "held";
	}
	if (!held->is_check || held->facts->attempt_known)
		hex_write(VIEW(attempt_id), outcome->attempt);
	return pending(held, outcome);
}
