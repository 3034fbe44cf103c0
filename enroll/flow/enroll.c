#include "enroll/flow/enroll.h"

#include "ca/base/encode.h"
#include "ca/key.h"
#include "enroll/flow/binding.h"
#include "enroll/flow/held.h"
#include "enroll/flow/vouching.h"
#include "enroll/proto/answer.h"
#include "enroll/proto/proof.h"

#include <stdio.h>
#include <string.h>

/* How often an enrollment looks again when somebody else was faster; each time somebody got on. */
#define ATTEMPTS 8

/* One request on its way; what is not const is filled in step by step. */
struct attempt {
	const struct service *service;
	const struct caller *caller;
	struct outcome *outcome;
	char trust_version[2 * SHA256_SIZE + 1], policy_version[2 * SHA256_SIZE + 1];
	struct transcript transcript;
	const uint8_t *proof;
	struct ticket ticket;
	struct judgement judgement;
	struct request request;
	uint8_t ticket_digest[SHA256_SIZE];
	uint8_t request_digest[SHA256_SIZE]; /* over claim and request */
	struct enrollment_facts facts;
	uint8_t device_id[DEVICE_ID_SIZE];
	struct buf key_bits; /* what grant.key points into */
	struct grant grant;
	uint8_t grant_digest[SHA256_SIZE];
	struct issued issued;
	/* The certificate to be handed out, recorded earlier or issued now. */
	struct view certificate;
};

static void attempt_free(struct attempt *attempt)
{
	ticket_wipe(&attempt->ticket);
	judgement_free(&attempt->judgement);
	request_free(&attempt->request);
	enrollment_facts_free(&attempt->facts);
	buf_free(&attempt->key_bits);
	issued_free(&attempt->issued);
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

	TRY(SHA256_OF(attempt->ticket_digest, attempt->transcript.ticket));
	TRY(ticket_open(attempt->service->tickets, attempt->transcript.ticket, attempt->caller->now,
		&attempt->ticket));
	attempt->outcome->is_moved = is_moved(attempt->service, &attempt->ticket);
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
	return SHA256_OF(
		attempt->request_digest, VIEW(attempt->ticket.claim_digest), VIEW(request));
}

static enum err look_up(struct attempt *attempt)
{
	const struct tpm_name *name = ak_name(attempt->judgement.ak);
	const struct enrollment_key key = {attempt->ticket_digest,
		identity_ek_digest(attempt->judgement.identity),
		(struct view){name->bytes, name->n}, attempt->judgement.claim->host};

	enrollment_facts_free(&attempt->facts);
	TRY(enrollment_lookup(attempt->service->db, &key, attempt->caller->now, &attempt->facts));
	/* Now the database has said what time it is: nothing is signed by another. */
	TRY(service_clock(attempt->service, attempt->caller));
	if (attempt->facts.device_known)
		memcpy(attempt->device_id, attempt->facts.device_id, DEVICE_ID_SIZE);
	else if (attempt->request.is_check)
		memset(attempt->device_id, 0, DEVICE_ID_SIZE);
	else
		TRY(random_bytes(attempt->device_id, DEVICE_ID_SIZE));
	hex_write(VIEW(attempt->device_id), attempt->outcome->device_id);
	return OK;
}

/* The name may be learned from the records. */
static enum err vouch(struct attempt *attempt)
{
	struct judgement *judgement = &attempt->judgement;

	TRY(vouching_judge(attempt->service, &attempt->facts, attempt->caller->now, judgement));
	snprintf(attempt->outcome->host, sizeof(attempt->outcome->host), "%s", judgement->host);
	snprintf(attempt->outcome->remark, sizeof(attempt->outcome->remark), "%s",
		identity_trust(judgement->identity)->remark);
	return OK;
}

/* The lost answer to the same request, once more. */
static enum err repeat(struct attempt *attempt)
{
	TRY(repeat_judge(&attempt->facts, attempt->request_digest));
	attempt->certificate = buf_view(&attempt->facts.certificates[0].der);
	attempt->outcome->what = "repeated";
	return OK;
}

/* NULL: nothing has proven it. */
static const char *proven(const char *fact)
{
	return fact[0] == '\0' ? NULL : fact;
}

static enum err make_grant(struct attempt *attempt)
{
	const struct identity *identity = attempt->judgement.identity;

	attempt->grant = (struct grant){
		.template = attempt->request.keys[0].template,
		.template_version = signer_template_version(
			attempt->service->signer, attempt->request.keys[0].template),
		.host = attempt->judgement.host,
		.device_id = attempt->outcome->device_id,
		.trust_class = trust_class_text(identity_trust(identity)->class),
		.tpm_manufacturer = proven(identity_manufacturer(identity)),
		.tpm_model = proven(identity_model(identity)),
		.tpm_version = proven(identity_version(identity)),
	};
	buf_free(&attempt->key_bits);
	TRY(key_public(ak_pkey(attempt->judgement.ak), &attempt->key_bits, &attempt->grant.key));
	return grant_digest(&attempt->grant, attempt->grant_digest);
}

/* A recorded certificate for the very same grant, by the CA of today; NULL when a new one is due. */
static const struct stored_certificate *recorded(const struct attempt *attempt)
{
	for (size_t i = 0; i < attempt->facts.certificates_n; i++)
		if (memcmp(attempt->facts.grant_digest[i], attempt->grant_digest, SHA256_SIZE) ==
				0 &&
			signer_has_issued(attempt->service->signer,
				buf_view(&attempt->facts.certificates[i].der)))
			return &attempt->facts.certificates[i];
	return NULL;
}

/* The second trip to the database: everything or nothing. */
static enum err record(struct attempt *attempt, const struct stored_certificate *returned)
{
	const struct identity *identity = attempt->judgement.identity;
	const struct trust_verdict *trust = identity_trust(identity);
	const struct tpm_name *name = ak_name(attempt->judgement.ak);
	const struct enrollment_facts *facts = &attempt->facts;
	const struct new_certificate issued = {{attempt->issued.serial, attempt->issued.serial_n},
		buf_view(&attempt->issued.der), attempt->grant.template,
		attempt->grant.template_version, attempt->grant_digest, attempt->issued.not_before,
		attempt->issued.not_after};
	const struct enrollment_record record = {
		.device_id = attempt->device_id,
		.device_new = !facts->device_known,
		.revision = facts->revision,
		.manufacturer = identity_manufacturer(identity),
		.model = identity_model(identity),
		.version = identity_version(identity),
		.trust_class = trust_class_text(trust->class),
		.trust_source = trust->source,
		.trust_version = attempt->trust_version,
		.policy_version = attempt->policy_version,
		.ek_digest = identity_ek_digest(identity),
		.ek_kind = key_kind_text(identity_kind(identity)),
		.ek_certificate = identity_certificate(identity),
		.host = attempt->judgement.host,
		.host_learned = attempt->judgement.claim->host == NULL,
		.host_new = !facts->host_bound,
		.host_alias = facts->device_hosts > 0,
		.ak_name = {name->bytes, name->n},
		.ak_public = ak_public(attempt->judgement.ak),
		.ak_kind = key_kind_text(ak_kind(attempt->judgement.ak)),
		.ak_new = !facts->ak_known,
		.live_aks_max = attempt->service->live_aks_max,
		.ticket_digest = attempt->ticket_digest,
		.request_digest = attempt->request_digest,
		.certificates = &issued,
		.certificates_n = returned == NULL ? 1 : 0,
		.returned = returned,
		.returned_n = returned == NULL ? 0 : 1,
		.request_id = attempt->caller->request_id,
		.client_address = attempt->caller->client_address,
		.now = attempt->caller->now,
	};

	return enrollment_record(attempt->service->db, &record);
}

/* All judgements were made; the rest is for who wants more than to know. */
static enum err stop_at_check(struct attempt *attempt)
{
	attempt->outcome->what = "checked";
	return OK;
}

/* All judgements were made, and nobody vouches for the EK: never OK. */
static enum err hold(struct attempt *attempt, const struct decision *decision)
{
	const struct held held = {
		.judgement = &attempt->judgement,
		.facts = &attempt->facts,
		.ticket_digest = attempt->ticket_digest,
		.rule = decision->rule,
		.is_check = attempt->request.is_check,
	};

	return held_keep(attempt->service, attempt->caller, &held, attempt->outcome);
}

/* Signs, unless what was issued before still does, and records. */
static enum err issue(struct attempt *attempt)
{
	const struct stored_certificate *stored = recorded(attempt);

	if (stored == NULL) {
		issued_free(&attempt->issued);
		TRY(signer_issue(attempt->service->signer, &attempt->grant, attempt->caller->now,
			&attempt->issued));
	}
	TRY(record(attempt, stored));
	attempt->certificate =
		stored == NULL ? buf_view(&attempt->issued.der) : buf_view(&stored->der);
	attempt->outcome->what = stored == NULL ? "issued" : "returned";
	return OK;
}

/* Looks, decides, signs and records once. ERR_CONFLICT "database-moved": look again. */
static enum err try_once(struct attempt *attempt)
{
	struct decision decision;

	TRY(look_up(attempt));
	TRY(vouch(attempt));
	if (attempt->facts.ticket_used)
		return repeat(attempt);
	TRY(binding_judge(attempt->service, &attempt->judgement, &attempt->facts,
		attempt->request.keys[0].template, &decision));
	snprintf(attempt->outcome->rule, sizeof(attempt->outcome->rule), "%s", decision.rule);
	TRY(make_grant(attempt));
	/* A check, and whoever is held, is promised what the template gives. */
	TRY(signer_judge(attempt->service->signer, &attempt->grant));
	if (decision.is_held)
		return hold(attempt, &decision);
	if (attempt->request.is_check)
		return stop_at_check(attempt);
	return issue(attempt);
}

/* By the rules of the moment; what records say of it comes later. */
static enum err judge_claim(struct attempt *attempt)
{
	struct judgement *judgement = &attempt->judgement;
	enum err err;

	judgement_free(judgement);
	*judgement = (struct judgement){0};
	err = claim_judge(
		attempt->service, attempt->transcript.claim, attempt->caller->now, judgement);
	snprintf(attempt->outcome->host, sizeof(attempt->outcome->host), "%s", judgement->host);
	TRY(err);
	attempt->outcome->is_untagged = ak_is_untagged(judgement->ak);
	return OK;
}

/* Whoever looks again forgets what the records said of the EK. */
static enum err decide(struct attempt *attempt)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		enum err err = i == 0 ? OK : judge_claim(attempt);

		if (err == OK)
			err = try_once(attempt);
		if (err != ERR_CONFLICT || strcmp(why()->code, "database-moved") != 0)
			return err;
	}
	return fail(ERR_BUSY, "database-moved", "others were faster %d times", ATTEMPTS);
}

static enum err seal(const struct attempt *attempt, struct buf *sealed)
{
	const struct identity *identity = attempt->judgement.identity;
	const struct trust_verdict *trust = identity_trust(identity);
	AUTO(buf_free) struct buf json = BUF(LIMIT_ANSWER);
	struct answer answer = {
		.host = attempt->judgement.host,
		.device_id = attempt->outcome->device_id,
		.tpm_manufacturer = identity_manufacturer(identity),
		.tpm_model = identity_model(identity),
		.tpm_version = identity_version(identity),
		.trust_class = trust_class_text(trust->class),
		.trust_source = trust->source,
		.trust_chain = trust->chain,
		.certificates = {{attempt->request.keys[0].template, attempt->certificate}},
		.certificates_n = attempt->request.is_check ? 0 : 1,
	};

	for (size_t i = 0; i < ANSWER_INTERMEDIATES; i++) {
		struct view der = signer_chain(attempt->service->signer, i);

		if (der.n > 0)
			answer.intermediates[answer.intermediates_n++] = der;
	}
	TRY(answer_encode(&answer, &json));
	return answer_seal(&attempt->ticket.session, &attempt->transcript, attempt->proof,
		buf_view(&json), sealed);
}

/* A refusal of a TPM that proved itself is for the auditor; the device's answer does not wait on
 * it. */
static enum err record_refusal(const struct attempt *attempt)
{
	const struct identity *identity = attempt->judgement.identity;
	struct kept_reason kept;
	struct refusal_record refusal = {
		.ticket_digest = attempt->ticket_digest,
		.ek_digest = identity == NULL ? NULL : identity_ek_digest(identity),
		.host = attempt->judgement.host[0] == '\0' ? NULL : attempt->judgement.host,
		.trust_version = attempt->trust_version,
		.policy_version = attempt->policy_version,
		.request_id = attempt->caller->request_id,
		.client_address = attempt->caller->client_address,
		.now = attempt->caller->now,
	};

	reason_keep(&kept);
	refusal.code = kept.reason.code;
	refusal.sentence = kept.reason.sentence;
	attempt->outcome->is_unrecorded = enrollment_refused(attempt->service->db, &refusal) != OK;
	return reason_again(&kept);
}

/*
 * EKs cost nothing to make: the audit is for those that a chain or a record of ours tells from all others.
 * Before the records were read no EK has one.
 */
static bool is_nobodys(const struct attempt *attempt)
{
	const struct identity *identity = attempt->judgement.identity;

	return identity != NULL && identity_doubt(identity) != NULL && !attempt->facts.ek_known &&
	       !attempt->facts.ek_allowed;
}

static bool is_a_refusal(enum err err)
{
	return err == ERR_MALFORMED || err == ERR_DENIED || err == ERR_CONFLICT ||
	       err == ERR_REJECTED || err == ERR_LIMITED;
}

/* From here on it is the TPM that speaks: what it is refused is recorded. */
static enum err run_proven(struct attempt *attempt, struct buf *sealed)
{
	TRY(judge_claim(attempt));
	TRY(request_parse(attempt->transcript.request, &attempt->request));
	TRY(digest_request(attempt));
	TRY(decide(attempt));
	return seal(attempt, sealed);
}

static enum err run(struct attempt *attempt, struct buf *sealed)
{
	enum err err;

	TRY(judge_proof(attempt));
	attempt->outcome->is_proven = true;
	err = run_proven(attempt, sealed);
	if (!is_a_refusal(err))
		return err;
	attempt->outcome->is_nobodys = is_nobodys(attempt);
	return attempt->outcome->is_nobodys ? err : record_refusal(attempt);
}

enum err enroll(const struct service *service, const struct caller *caller,
	const struct enroll_request *request, struct buf *sealed, struct outcome *outcome)
{
	AUTO(attempt_free)
	struct attempt attempt = {
		.service = service,
		.caller = caller,
		.outcome = outcome,
		.transcript = {buf_view(&request->ticket), buf_view(&request->claim),
			buf_view(&request->request)},
		.proof = request->proof,
		.key_bits = BUF(4096),
	};

	request_init(&attempt.request);
	outcome_rules(outcome, service);
	hex_write((struct view){trust_version(service->trust), SHA256_SIZE}, attempt.trust_version);
	hex_write((struct view){policy_version(service->policy), SHA256_SIZE},
		attempt.policy_version);
	return run(&attempt, sealed);
}
