#include "enroll/flow/binding.h"

#include <string.h>

/* Neither says why: it may be the thief who asks. */
enum err bar_judge(enum device_state state, bool is_host_barred, const char *host)
{
	if (state == DEVICE_HELD)
		return refuse(ERR_DENIED, "device-held", "PROTOCOL binding",
			"this TPM is held by the service's admin and gets nothing meanwhile: its "
			"certificates and names stay as they are, ask the admin");
	if (state != DEVICE_ACTIVE)
		return refuse(ERR_DENIED, "device-revoked", "PROTOCOL binding",
			"this TPM was revoked here and may not enroll: ask the service's admin");
	if (is_host_barred)
		return refuse(ERR_DENIED, "host-revoked", "PROTOCOL binding",
			"the name \"%s\" was revoked, and no machine may have it: ask the "
			"service's admin",
			host);
	return OK;
}

static enum err judge_bar(const struct enrollment_facts *facts, const char *host)
{
	return bar_judge(facts->device_state, facts->host_barred, host);
}

enum err repeat_judge(const struct enrollment_facts *facts, const char *host,
	const uint8_t request_digest[static DIGEST_SIZE])
{
	if (memcmp(facts->ticket_request_digest, request_digest, DIGEST_SIZE) != 0)
		return refuse(ERR_CONFLICT, "ticket-used", "PROTOCOL ticket",
			"this ticket enrolled before, with another request: get a new one from "
			"/v1/ticket");
	TRY(judge_bar(facts, host));
	if (facts->ticket_revoked || facts->certificates_n == 0)
		return refuse(ERR_DENIED, "certificate-revoked", "PROTOCOL binding",
			"what this request brought was revoked, or its name or AK has moved on: a "
			"repeat does not bring it back, enroll anew");
	return OK;
}

/*
 * A TPM activates nothing for an AK that it does not have; but that an EK is in a TPM is what only
 * a chain says. Others prove of the AK no more than that they know its public area, which is in its
 * certificate.
 */
static bool joins_by_the_ak_it_names(
	const struct identity *identity, const struct enrollment_facts *facts)
{
	enum trust_class class = identity_trust(identity)->class;
	bool has_chain = class == TRUST_MANUFACTURER || class == TRUST_OPERATOR_IMPORT;

	return facts->device_known && !facts->ek_known && !has_chain;
}

static enum err judge_ak(const struct identity *identity, const struct enrollment_facts *facts)
{
	if (facts->ak_other_dialect)
		return refuse(ERR_DENIED, "ak-other-dialect", "PROTOCOL keys",
			"this AK was enrolled by another protocol: make a new AK");
	if (facts->ak_of_other_device || joins_by_the_ak_it_names(identity, facts))
		return refuse(ERR_CONFLICT, "ak-of-another-device", "PROTOCOL binding",
			"this AK is enrolled under another EK that is known as another device: "
			"make a "
			"new AK, or ask the service's admin");
	if (facts->ak_known && !facts->ak_live)
		return refuse(ERR_DENIED, "ak-superseded", "PROTOCOL binding",
			"newer AKs of this device took this one's place: make a new AK");
	return OK;
}

static enum err judge_name(
	const struct enrollment_facts *facts, const struct decision *decision, const char *host)
{
	if (facts->host_bound && !facts->host_is_ours)
		return refuse(ERR_CONFLICT, "host-bound-to-another-device", "PROTOCOL binding",
			"\"%s\" is bound to another device. If this is that machine, did it enroll "
			"with another EK of its TPM (endorse enroll --ek ...)? If it was replaced, "
			"ask "
			"the admin for: endorsectl host unbind %s --why ...",
			host, host);
	if (!facts->host_is_ours && facts->device_hosts >= decision->names_per_device)
		return refuse(ERR_CONFLICT, "device-bound-to-another-host",
			"policy: names_per_device",
			"this device has %u name(s) and the rule \"%s\" allows %u: enroll under "
			"the "
			"name it has, or ask the admin to unbind that name first",
			facts->device_hosts, decision->rule, decision->names_per_device);
	return OK;
}

/* It was answered with a held attempt; what an admin said of that since is for the next ticket. */
static enum err judge_held_ticket(const struct enrollment_facts *facts)
{
	if (!facts->ticket_held)
		return OK;
	return refuse(ERR_CONFLICT, "ticket-used", "PROTOCOL ticket",
		"this ticket was answered with an attempt that is held, and is good for no "
		"certificate: get a new one from /v1/ticket");
}

void labels_of(const struct enrollment_facts *facts, struct labels_view *out)
{
	for (size_t i = 0; i < facts->labels_n; i++)
		out->label[i] = (struct fact_label){facts->labels[i].name, facts->labels[i].value};
	out->labels = (struct fact_labels){out->label, facts->labels_n};
}

enum err binding_judge(const struct service *service, const struct judgement *judgement,
	const struct enrollment_facts *facts, const char *const *templates, size_t templates_n,
	struct decision *out)
{
	const struct identity *identity = judgement->identity;
	struct labels_view labels;
	struct facts asked = {
		.host = judgement->host,
		.trust_class = trust_class_text(identity_trust(identity)->class),
		.ek_kind = key_kind_text(identity_kind(identity)),
		.templates = templates,
		.templates_n = templates_n,
	};

	labels_of(facts, &labels);
	asked.labels = labels.labels;
	TRY(judge_bar(facts, asked.host));
	TRY(judge_ak(identity, facts));
	TRY(policy_decide(service->policy, &asked, out));
	TRY(judge_name(facts, out, asked.host));
	return out->is_held ? OK : judge_held_ticket(facts);
}
