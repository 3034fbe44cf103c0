#include "enroll/flow/renew.h"

#include "ca/base/encode.h"
#include "db/renewal.h"
#include "enroll/flow/binding.h"
#include "enroll/flow/issuance.h"

#include <stdio.h>
#include <string.h>

/* All that an AK's Name may be: of the hashes that an AK may have. */
static enum err judge_ak_name(struct view name)
{
	static const struct {
		uint8_t algorithm;
		size_t n;
	} names[] = {{0x0b, 34}, {0x0c, 50}, {0x0d, 66}};

	for (size_t i = 0; i < COUNT(names); i++)
		if (name.n == names[i].n && name.p[0] == 0 && name.p[1] == names[i].algorithm)
			return OK;
	return refuse(ERR_MALFORMED, "ak-name", "PROTOCOL renewal",
		"%zu bytes that are no Name of an AK by SHA-256, SHA-384 or SHA-512", name.n);
}

enum err renew_ticket(const struct service *service, const struct caller *caller,
	struct view ak_name, struct renewal_ticket_answer *answer, struct outcome *outcome)
{
	struct renewal_ticket ticket = {.issued_at = caller->now};

	outcome_rules(outcome, service);
	TRY(judge_ak_name(ak_name));
	TRY(SHA256_OF(ticket.ak_digest, ak_name));
	answer->expires_at = caller->now + TICKET_LIFE;
	outcome->what = "challenged";
	return renewal_ticket_seal(service->tickets, &ticket, &answer->ticket);
}

/* One renewal on its way. */
struct renewal {
	struct view ticket, ak_public, request, signature;
	struct renewal_ticket opened;
	struct ak *ak; /* that signed */
	struct renewal_facts facts;
	bool is_known; /* the AK is one of ours: what it is refused is recorded */
	struct issuance issuance;
};

static void renewal_free(struct renewal *renewal)
{
	ak_free(&renewal->ak);
	renewal_facts_free(&renewal->facts);
	issuance_free(&renewal->issuance);
}

static enum err judge_ak(struct renewal *renewal)
{
	const struct service *service = renewal->issuance.service;
	uint8_t digest[SHA256_SIZE];
	const struct tpm_name *name;

	/* Whether its rule takes one without a tag is asked again when the name is known. */
	TRY(ak_judge(renewal->ak_public, service->name, AK_TAG_OR_NONE, &renewal->ak));
	name = ak_name(renewal->ak);
	TRY(SHA256_OF(digest, (struct view){name->bytes, name->n}));
	if (!secret_equal(digest, renewal->opened.ak_digest, SHA256_SIZE))
		return refuse(ERR_UNPROVEN, "ticket-ak-mismatch", "PROTOCOL renewal",
			"the AK is not the one that this ticket was made for");
	return OK;
}

static enum err judge_signature(const struct renewal *renewal)
{
	uint8_t message[RENEWAL_MESSAGE_SIZE];

	TRY(renewal_message(
		renewal->issuance.service->name, renewal->ticket, renewal->request, message));
	if (!ak_signed(renewal->ak, VIEW(message), renewal->signature))
		return refuse(ERR_UNPROVEN, "proof-invalid", "PROTOCOL renewal",
			"the AK did not sign this ticket and request for this service");
	return OK;
}

/* Only who can use the AK gets past this. That the AK is in a TPM is what the records say. */
static enum err judge_proof(struct renewal *renewal)
{
	struct issuance *issuance = &renewal->issuance;

	TRY(SHA256_OF(issuance->ticket_digest, renewal->ticket));
	TRY(renewal_ticket_open(issuance->service->tickets, renewal->ticket, issuance->caller->now,
		&renewal->opened));
	TRY(judge_ak(renewal));
	return judge_signature(renewal);
}

static enum err needs_enrollment(const char *what)
{
	return refuse(ERR_DENIED, "renewal-needs-enrollment", "PROTOCOL renewal",
		"%s: enroll again, by the EK (endorse enroll)", what);
}

/*
 * May what the records have of this AK stand for a proof by its EK? Bars first, then the name: a device that lost it is not told
 * that it may enroll, for it would do so by itself, and have the name again.
 */
static enum err judge_records(const struct renewal *renewal)
{
	const struct renewal_facts *facts = &renewal->facts;
	const struct issuance *issuance = &renewal->issuance;
	unsigned days = issuance->service->renewal_proof_days;
	char what[96];

	if (!facts->ak_known)
		return needs_enrollment("no device enrolled with this AK");
	TRY(bar_judge(facts->device_state, facts->host_barred, issuance->request.host));
	if (!facts->host_is_ours)
		return renewal_without_name();
	if (!facts->ek_recorded)
		return needs_enrollment("the records have too little of this device's EK");
	if (issuance->caller->now - facts->proven_at > (int64_t)days * 86400) {
		snprintf(
			what, sizeof(what), "the last proof by the EK is older than %u days", days);
		return needs_enrollment(what);
	}
	return OK;
}

/* The claim that the device would make today, from what it sent when it enrolled. */
static enum err rebuild_claim(const struct renewal *renewal, struct buf *json)
{
	const struct renewal_facts *facts = &renewal->facts;
	struct claim claim = {
		.service = renewal->issuance.service->name,
		.host = renewal->issuance.request.host,
		.ek_certificate = buf_view(&facts->ek_certificate),
		.ek_public = buf_view(&facts->ek_public),
		.ak_public = renewal->ak_public,
	};

	for (size_t i = 0; i < facts->chain_n; i++)
		claim.ek_chain[claim.ek_chain_n++] = buf_view(&facts->chain[i]);
	return claim_encode(&claim, json);
}

/* Reads the records, and judges what they say of the EK as if the device had sent it now. */
static enum err judge_claim(struct issuance *issuance, void *of)
{
	struct renewal *renewal = of;
	const struct tpm_name *name = ak_name(renewal->ak);
	AUTO(buf_free) struct buf json = BUF(2 * LIMIT_CLAIM);

	renewal_facts_free(&renewal->facts);
	TRY(renewal_lookup(issuance->service->db, (struct view){name->bytes, name->n},
		issuance->request.host, &renewal->facts));
	renewal->is_known = renewal->facts.ak_known;
	issuance->outcome->is_proven = renewal->is_known;
	if (renewal->is_known)
		issuance_note_device(issuance, renewal->facts.device_id);
	/* Noted before anything is said of it. */
	snprintf(issuance->judgement.host, sizeof(issuance->judgement.host), "%s",
		issuance->request.host);
	TRY(judge_records(renewal));
	TRY(rebuild_claim(renewal, &json));
	return claim_judge(
		issuance->service, buf_view(&json), issuance->caller->now, &issuance->judgement);
}

/* Whose it is that was refused before its name was known: what a known AK is refused is recorded. */
static enum err find_device(struct renewal *renewal)
{
	struct issuance *issuance = &renewal->issuance;
	const struct tpm_name *name = ak_name(renewal->ak);
	struct kept_reason kept;

	reason_keep(&kept);
	if (renewal_lookup(issuance->service->db, (struct view){name->bytes, name->n}, "",
		    &renewal->facts) == OK &&
		renewal->facts.ak_known) {
		renewal->is_known = issuance->outcome->is_proven = true;
		issuance_note_device(issuance, renewal->facts.device_id);
	}
	return reason_again(&kept);
}

/* The ticket is this AK's alone, so AK and request tell a repeat from another request. */
static enum err digest_request(struct renewal *renewal)
{
	uint8_t request[SHA256_SIZE];

	TRY(SHA256_OF(request, renewal->request));
	return SHA256_OF(
		renewal->issuance.request_digest, VIEW(renewal->opened.ak_digest), VIEW(request));
}

static enum err run(struct renewal *renewal, struct buf *answer)
{
	struct issuance *issuance = &renewal->issuance;

	if (renewal_request_parse(renewal->request, &issuance->request) != OK)
		return find_device(renewal);
	TRY(issuance_judge_claim(issuance));
	TRY(issuance_judge_keys(issuance, renewal->ticket));
	TRY(digest_request(renewal));
	TRY(issuance_run(issuance));
	return issuance_answer(issuance, answer);
}

enum err renew(const struct service *service, const struct caller *caller,
	const struct renew_request *request, struct buf *answer, struct outcome *outcome)
{
	AUTO(renewal_free)
	struct renewal renewal = {
		.ticket = buf_view(&request->ticket),
		.ak_public = buf_view(&request->ak_public),
		.request = buf_view(&request->request),
		.signature = buf_view(&request->signature),
	};
	enum err err;

	issuance_init(&renewal.issuance, service, caller, outcome);
	renewal.issuance.judge = judge_claim;
	renewal.issuance.of = &renewal;
	renewal.issuance.is_renewal = true;
	TRY(judge_proof(&renewal));
	err = run(&renewal, answer);
	return renewal.is_known ? issuance_end(&renewal.issuance, err) : err;
}
