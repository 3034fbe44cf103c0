#include "enroll/flow/issuance.h"

#include "ca/base/encode.h"
#include "ca/key.h"
#include "enroll/flow/binding.h"
#include "enroll/flow/held.h"
#include "enroll/flow/vouching.h"
#include "enroll/proto/answer.h"

#include <stdio.h>
#include <string.h>

/* How often a request looks again when somebody else was faster; each time somebody got on. */
#define ATTEMPTS 8

void issuance_init(struct issuance *issuance, const struct service *service,
	const struct caller *caller, struct outcome *outcome)
{
	*issuance = (struct issuance){
		.service = service, .caller = caller, .outcome = outcome, .key_bits = BUF(4096)};
	request_init(&issuance->request);
	outcome_rules(outcome, service);
	hex_write(
		(struct view){trust_version(service->trust), SHA256_SIZE}, issuance->trust_version);
	hex_write((struct view){policy_version(service->policy), SHA256_SIZE},
		issuance->policy_version);
}

void issuance_free(struct issuance *issuance)
{
	judgement_free(&issuance->judgement);
	request_free(&issuance->request);
	enrollment_facts_free(&issuance->facts);
	buf_free(&issuance->key_bits);
	issued_free(&issuance->issued);
}

static enum err look_up(struct issuance *issuance)
{
	const struct tpm_name *name = ak_name(issuance->judgement.ak);
	const struct enrollment_key key = {issuance->ticket_digest,
		identity_ek_digest(issuance->judgement.identity),
		(struct view){name->bytes, name->n}, issuance->judgement.claim->host};

	enrollment_facts_free(&issuance->facts);
	TRY(enrollment_lookup(
		issuance->service->db, &key, issuance->caller->now, &issuance->facts));
	/* Now the database has said what time it is: nothing is signed by another. */
	TRY(service_clock(issuance->service, issuance->caller));
	if (issuance->facts.device_known)
		memcpy(issuance->device_id, issuance->facts.device_id, DEVICE_ID_SIZE);
	else if (issuance->request.is_check)
		memset(issuance->device_id, 0, DEVICE_ID_SIZE);
	else
		TRY(random_bytes(issuance->device_id, DEVICE_ID_SIZE));
	hex_write(VIEW(issuance->device_id), issuance->outcome->device_id);
	return OK;
}

/* The name may be learned from the records. */
static enum err vouch(struct issuance *issuance)
{
	struct judgement *judgement = &issuance->judgement;

	TRY(vouching_judge(issuance->service, &issuance->facts, issuance->caller->now, judgement));
	snprintf(issuance->outcome->host, sizeof(issuance->outcome->host), "%s", judgement->host);
	snprintf(issuance->outcome->remark, sizeof(issuance->outcome->remark), "%s",
		identity_trust(judgement->identity)->remark);
	return OK;
}

/* The lost answer to the same request, once more. */
static enum err repeat(struct issuance *issuance)
{
	TRY(repeat_judge(&issuance->facts, issuance->request_digest));
	issuance->certificate = buf_view(&issuance->facts.certificates[0].der);
	issuance->outcome->what = "repeated";
	return OK;
}

/* NULL: nothing has proven it. */
static const char *proven(const char *fact)
{
	return fact[0] == '\0' ? NULL : fact;
}

static enum err make_grant(struct issuance *issuance)
{
	const struct identity *identity = issuance->judgement.identity;

	issuance->grant = (struct grant){
		.template = issuance->request.keys[0].template,
		.template_version = signer_template_version(
			issuance->service->signer, issuance->request.keys[0].template),
		.host = issuance->judgement.host,
		.device_id = issuance->outcome->device_id,
		.trust_class = trust_class_text(identity_trust(identity)->class),
		.tpm_manufacturer = proven(identity_manufacturer(identity)),
		.tpm_model = proven(identity_model(identity)),
		.tpm_version = proven(identity_version(identity)),
	};
	buf_free(&issuance->key_bits);
	TRY(key_public(ak_pkey(issuance->judgement.ak), &issuance->key_bits, &issuance->grant.key));
	return grant_digest(&issuance->grant, issuance->grant_digest);
}

/* A recorded certificate for the very same grant, by the CA of today; NULL when a new one is due. */
static const struct stored_certificate *recorded(const struct issuance *issuance)
{
	for (size_t i = 0; i < issuance->facts.certificates_n; i++)
		if (memcmp(issuance->facts.grant_digest[i], issuance->grant_digest, SHA256_SIZE) ==
				0 &&
			signer_has_issued(issuance->service->signer,
				buf_view(&issuance->facts.certificates[i].der)))
			return &issuance->facts.certificates[i];
	return NULL;
}

/* The second trip to the database: everything or nothing. */
static enum err record(struct issuance *issuance, const struct decision *decision,
	const struct stored_certificate *returned)
{
	const struct identity *identity = issuance->judgement.identity;
	const struct trust_verdict *trust = identity_trust(identity);
	const struct tpm_name *name = ak_name(issuance->judgement.ak);
	const struct enrollment_facts *facts = &issuance->facts;
	const struct new_certificate issued = {VIEW(issuance->issued.serial),
		buf_view(&issuance->issued.der), issuance->grant.template,
		issuance->grant.template_version, issuance->grant_digest,
		issuance->issued.not_before, issuance->issued.not_after};
	const struct enrollment_record record = {
		.device_id = issuance->device_id,
		.device_new = !facts->device_known,
		.revision = facts->revision,
		.manufacturer = identity_manufacturer(identity),
		.model = identity_model(identity),
		.version = identity_version(identity),
		.trust_class = trust_class_text(trust->class),
		.trust_source = trust->source,
		.trust_version = issuance->trust_version,
		.policy_version = issuance->policy_version,
		.ek_digest = identity_ek_digest(identity),
		.ek_kind = key_kind_text(identity_kind(identity)),
		.ek_certificate = identity_certificate(identity),
		.host = issuance->judgement.host,
		.allowed_labels = facts->allowed_labels,
		.host_learned = issuance->judgement.claim->host == NULL,
		.host_new = !facts->host_bound,
		.host_alias = facts->device_hosts > 0,
		.ak_name = {name->bytes, name->n},
		.ak_public = ak_public(issuance->judgement.ak),
		.ak_kind = key_kind_text(ak_kind(issuance->judgement.ak)),
		.ak_new = !facts->ak_known,
		.live_aks_max = issuance->service->live_aks_max,
		.ak_alone = decision->supersedes_aks && !issuance->is_renewal,
		.ticket_digest = issuance->ticket_digest,
		.request_digest = issuance->request_digest,
		.certificates = &issued,
		.certificates_n = returned == NULL ? 1 : 0,
		.returned = returned,
		.returned_n = returned == NULL ? 0 : 1,
		.request_id = issuance->caller->request_id,
		.client_address = issuance->caller->client_address,
		.now = issuance->caller->now,
	};

	return enrollment_record(issuance->service->db, &record);
}

/* All judgements were made; the rest is for who wants more than to know. */
static enum err stop_at_check(struct issuance *issuance)
{
	issuance->outcome->what = "checked";
	return OK;
}

/* All judgements were made, and nobody vouches for the EK: never OK. */
static enum err hold(struct issuance *issuance, const struct decision *decision)
{
	const struct held held = {
		.judgement = &issuance->judgement,
		.facts = &issuance->facts,
		.ticket_digest = issuance->ticket_digest,
		.rule = decision->rule,
		.is_check = issuance->request.is_check,
	};

	return held_keep(issuance->service, issuance->caller, &held, issuance->outcome);
}

/* Signs, unless what was issued before still does, and records. */
static enum err issue(struct issuance *issuance, const struct decision *decision)
{
	const struct stored_certificate *stored = recorded(issuance);

	if (stored == NULL) {
		issued_free(&issuance->issued);
		TRY(signer_issue(issuance->service->signer, &issuance->grant, issuance->caller->now,
			&issuance->issued));
	}
	TRY(record(issuance, decision, stored));
	issuance->certificate =
		stored == NULL ? buf_view(&issuance->issued.der) : buf_view(&stored->der);
	issuance->outcome->what = stored == NULL ? "issued" : "returned";
	return OK;
}

/* Looks, decides, signs and records once. ERR_CONFLICT "database-moved": look again. */
static enum err try_once(struct issuance *issuance)
{
	const char *const templates[] = {issuance->request.keys[0].template};
	struct decision decision;

	TRY(look_up(issuance));
	TRY(vouch(issuance));
	if (issuance->facts.ticket_used)
		return repeat(issuance);
	TRY(binding_judge(issuance->service, &issuance->judgement, &issuance->facts, templates,
		COUNT(templates), &decision));
	snprintf(issuance->outcome->rule, sizeof(issuance->outcome->rule), "%s", decision.rule);
	TRY(make_grant(issuance));
	/* A check, and whoever is held, is promised what the template gives. */
	TRY(signer_judge(issuance->service->signer, &issuance->grant));
	if (decision.is_held)
		return hold(issuance, &decision);
	if (issuance->request.is_check)
		return stop_at_check(issuance);
	return issue(issuance, &decision);
}

/* By the rules of the moment; what records say of it comes later. */
enum err issuance_judge_claim(struct issuance *issuance)
{
	struct judgement *judgement = &issuance->judgement;
	enum err err;

	judgement_free(judgement);
	*judgement = (struct judgement){0};
	err = issuance->judge(issuance, issuance->of);
	snprintf(issuance->outcome->host, sizeof(issuance->outcome->host), "%s", judgement->host);
	TRY(err);
	issuance->outcome->is_untagged = ak_is_untagged(judgement->ak);
	return OK;
}

/* Whoever looks again forgets what the records said of the EK. */
enum err issuance_run(struct issuance *issuance)
{
	for (int i = 0; i < ATTEMPTS; i++) {
		enum err err = i == 0 ? OK : issuance_judge_claim(issuance);

		if (err == OK)
			err = try_once(issuance);
		if (err != ERR_CONFLICT || strcmp(why()->code, "database-moved") != 0)
			return err;
	}
	return fail(ERR_BUSY, "database-moved", "others were faster %d times", ATTEMPTS);
}

enum err issuance_answer(const struct issuance *issuance, struct buf *json)
{
	const struct identity *identity = issuance->judgement.identity;
	const struct trust_verdict *trust = identity_trust(identity);
	struct answer answer = {
		.host = issuance->judgement.host,
		.device_id = issuance->outcome->device_id,
		.tpm_manufacturer = identity_manufacturer(identity),
		.tpm_model = identity_model(identity),
		.tpm_version = identity_version(identity),
		.trust_class = trust_class_text(trust->class),
		.trust_source = trust->source,
		.trust_chain = trust->chain,
		.certificates = {{issuance->request.keys[0].template, issuance->certificate}},
		.certificates_n = issuance->request.is_check ? 0 : 1,
	};

	for (size_t i = 0; i < ANSWER_INTERMEDIATES; i++) {
		struct view der = signer_chain(issuance->service->signer, i);

		if (der.n > 0)
			answer.intermediates[answer.intermediates_n++] = der;
	}
	return answer_encode(&answer, json);
}

/* A refusal of a TPM that proved itself is for the auditor; the device's answer does not wait on
 * it. */
static enum err record_refusal(const struct issuance *issuance)
{
	const struct identity *identity = issuance->judgement.identity;
	struct kept_reason kept;
	struct refusal_record refusal = {
		.ticket_digest = issuance->ticket_digest,
		.ek_digest = identity == NULL ? NULL : identity_ek_digest(identity),
		.host = issuance->judgement.host[0] == '\0' ? NULL : issuance->judgement.host,
		.trust_version = issuance->trust_version,
		.policy_version = issuance->policy_version,
		.request_id = issuance->caller->request_id,
		.client_address = issuance->caller->client_address,
		.now = issuance->caller->now,
	};

	reason_keep(&kept);
	refusal.code = kept.reason.code;
	refusal.sentence = kept.reason.sentence;
	issuance->outcome->is_unrecorded =
		enrollment_refused(issuance->service->db, &refusal) != OK;
	return reason_again(&kept);
}

/*
 * EKs cost nothing to make: the audit is for those that a chain or a record of ours tells from all others.
 * Before the records were read no EK has one.
 */
static bool is_nobodys(const struct issuance *issuance)
{
	const struct identity *identity = issuance->judgement.identity;

	return identity != NULL && identity_doubt(identity) != NULL && !issuance->facts.ek_known &&
	       !issuance->facts.ek_allowed;
}

static bool is_a_refusal(enum err err)
{
	return err == ERR_MALFORMED || err == ERR_DENIED || err == ERR_CONFLICT ||
	       err == ERR_REJECTED || err == ERR_LIMITED;
}

enum err issuance_end(struct issuance *issuance, enum err err)
{
	if (!is_a_refusal(err))
		return err;
	issuance->outcome->is_nobodys = is_nobodys(issuance);
	return issuance->outcome->is_nobodys ? err : record_refusal(issuance);
}
