#include "enroll/flow/vouching.h"

#include "ca/base/encode.h"
#include "enroll/flow/binding.h"

#include <stdio.h>
#include <string.h>

/*
 * The name that an EK is registered for, where the device left it to us. Judged again also where it
 * was judged without labels, and they decide.
 */
static enum err learn_host(const struct service *service, const struct enrollment_facts *facts,
	const struct fact_labels *labels, int64_t now, struct judgement *judgement)
{
	char host[LIMIT_HOST + 1];

	if (judgement->claim->host != NULL) {
		if (!policy_wants_labels(service->policy, judgement->host))
			return OK;
		snprintf(host, sizeof(host), "%s", judgement->host);
		return claim_judge_as(service, host, labels, now, judgement);
	}
	if (facts->registered_host[0] == '\0')
		return refuse(ERR_DENIED, "host-not-registered", "PROTOCOL registration",
			"the claim names no host, and this TPM's EK is registered for none: name "
			"one "
			"(--host), or ask the admin for: endorsectl ek allow add --host ...");
	return claim_judge_as(service, facts->registered_host, labels, now, judgement);
}

/* Neither sentence tells the other name or the other EK. */
static enum err judge_registration(
	const struct enrollment_facts *facts, const struct judgement *judgement)
{
	if (facts->registered_host[0] != '\0' &&
		strcmp(facts->registered_host, judgement->host) != 0)
		return refuse(ERR_DENIED, "ek-registered-for-another-host", "PROTOCOL registration",
			"this TPM's EK is registered for another name than \"%s\": leave the name "
			"out "
			"to get the right one, or ask the admin (endorsectl ek allow list)",
			judgement->host);
	if (facts->host_of_other_ek)
		return refuse(ERR_DENIED, "host-registered-for-another-ek", "PROTOCOL registration",
			"\"%s\" is registered for the EK of another TPM: if this is that machine, "
			"did "
			"it enroll with another EK of its TPM (endorse enroll --ek ...)? Otherwise "
			"ask "
			"the admin (endorsectl ek allow list)",
			judgement->host);
	return OK;
}

/* Which attempt it was that an admin accepted, for records. */
static enum err approve(const struct enrollment_facts *facts, struct identity *identity)
{
	char id[2 * sizeof(facts->attempt_id) + 1], source[64];

	hex_write(VIEW(facts->attempt_id), id);
	snprintf(source, sizeof(source), "attempt %s", id);
	return identity_vouch(identity, TRUST_APPROVED, source);
}

enum err vouching_judge(const struct service *service, const struct enrollment_facts *facts,
	int64_t now, struct judgement *judgement)
{
	struct labels_view labels;
	struct ek_rules rules;

	labels_of(facts, &labels);
	TRY(learn_host(service, facts, &labels.labels, now, judgement));
	TRY(judge_registration(facts, judgement));
	if (identity_doubt(judgement->identity) == NULL)
		return OK;
	rules = policy_ek_rules(service->policy, judgement->host, &labels.labels);
	if (facts->ek_allowed && rules.takes_allowed)
		return identity_vouch(judgement->identity, TRUST_ALLOW_LIST, facts->allowed_source);
	if (facts->attempt_accepted && rules.takes_approved)
		return approve(facts, judgement->identity);
	if (rules.holds && !facts->ticket_used)
		return OK;
	return reason_tell(identity_doubt(judgement->identity));
}
