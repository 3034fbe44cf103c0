#include "enroll/flow/issuance.h"

#include "ca/base/encode.h"
#include "db/revoked_issuer.h"
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
	*issuance = (struct issuance){.service = service, .caller = caller, .outcome = outcome};
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
	evidence_free(&issuance->evidence);
	grants_free(&issuance->grants);
}

/* "ak,tls-server" */
static void note_templates(const struct request *request, struct outcome *outcome)
{
	size_t n = 0;

	for (size_t i = 0; i < request->keys_n && n < sizeof(outcome->templates); i++)
		n += (size_t)snprintf(outcome->templates + n, sizeof(outcome->templates) - n,
			"%s%s", i > 0 ? "," : "", request->keys[i].template);
}

enum err issuance_judge_keys(struct issuance *issuance, struct view ticket)
{
	note_templates(&issuance->request, issuance->outcome);
	return evidence_judge(issuance->service, issuance->judgement.ak, ticket, &issuance->request,
		&issuance->evidence);
}

/*
 * What only some requests want to know. A check is given no serial numbers and no places in CRLs, for
 * it issues nothing.
 */
static void ask_further(const struct issuance *issuance, struct enrollment_key *key)
{
	const bool is_check = issuance->request.is_check;

	for (size_t i = 0; i < issuance->evidence.n; i++) {
		const struct template *tmpl = issuance->evidence.item[i].tmpl;

		if (tmpl == NULL)
			continue;
		key->ssh_serials += !is_check && template_kind(tmpl) != TEMPLATE_X509;
		key->crl_places += !is_check && template_kind(tmpl) == TEMPLATE_X509;
		key->wants_ak_certificates = key->wants_ak_certificates || tmpl->skae;
	}
}

/* The CAs that would sign what is asked for. */
static void name_cas(const struct issuance *issuance, struct enrollment_key *key)
{
	struct signer_issuer ca;

	for (size_t i = 0; signer_issuer(issuance->service->signer, i, &ca); i++) {
		bool is_wanted = false;

		for (size_t k = 0; k < issuance->evidence.n; k++) {
			const struct template *tmpl = issuance->evidence.item[k].tmpl;

			is_wanted = is_wanted || (tmpl != NULL && template_kind(tmpl) == ca.kind);
		}
		if (is_wanted && ca.issues && key->issuers_n < ENROLLMENT_ISSUERS)
			key->issuers[key->issuers_n++] = ca.id;
	}
}

void issuance_note_device(struct issuance *issuance, const uint8_t device_id[static DEVICE_ID_SIZE])
{
	memcpy(issuance->device_id, device_id, DEVICE_ID_SIZE);
	hex_write(VIEW(issuance->device_id), issuance->outcome->device_id);
}

/* The device's, or a new one for whom it is not a check. */
static enum err find_device(struct issuance *issuance)
{
	uint8_t device_id[DEVICE_ID_SIZE] = {0};

	if (issuance->facts.device_known)
		memcpy(device_id, issuance->facts.device_id, DEVICE_ID_SIZE);
	else if (!issuance->request.is_check)
		TRY(random_of_day(issuance->caller->now, device_id, DEVICE_ID_SIZE));
	issuance_note_device(issuance, device_id);
	return OK;
}

static enum err look_up(struct issuance *issuance)
{
	const struct tpm_name *name = ak_name(issuance->judgement.ak);
	struct enrollment_key key = {
		.ticket_digest = issuance->ticket_digest,
		.ek_digest = identity_ek_digest(issuance->judgement.identity),
		.ak_name = {name->bytes, name->n},
		.host = issuance->judgement.claim->host,
		.device_id = issuance->is_renewal ? issuance->device_id : NULL,
	};

	ask_further(issuance, &key);
	name_cas(issuance, &key);
	enrollment_facts_free(&issuance->facts);
	TRY(enrollment_lookup(
		issuance->service->db, &key, issuance->caller->now, &issuance->facts));
	/* Now the database has said what time it is: nothing is signed by another. */
	TRY(service_clock(issuance->service, issuance->caller));
	return find_device(issuance);
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
	const struct enrollment_facts *facts = &issuance->facts;

	TRY(repeat_judge(facts, issuance->judgement.host, issuance->request_digest));
	issuance->handed_n = 0;
	for (size_t i = 0; i < facts->certificates_n && i < LIMIT_KEYS; i++) {
		issuance->handed[i].template = facts->certificates[i].template;
		issuance->handed[i].certificate = buf_view(&facts->certificates[i].der);
		issuance->handed_n++;
	}
	issuance->outcome->what = "repeated";
	return OK;
}

static struct grants_from grants_from(const struct issuance *issuance)
{
	return (struct grants_from){issuance->service, &issuance->judgement, &issuance->facts,
		&issuance->evidence, issuance->outcome->device_id};
}

static enum err make_grants(struct issuance *issuance)
{
	const struct grants_from from = grants_from(issuance);

	grants_free(&issuance->grants);
	issuance->grants = (struct grants){.n = 0};
	return grants_make(&from, &issuance->grants);
}

/* A check, and whoever is held, is promised what the templates give; whoever gets it needs no promise. */
static enum err promise(const struct issuance *issuance)
{
	const struct grants_from from = grants_from(issuance);

	return grants_judge(&from, &issuance->grants);
}

static const char *event_of(const struct issuance *issuance)
{
	bool is_new = grants_new(&issuance->grants) > 0;

	if (issuance->is_renewal)
		return is_new ? "renew.issued" : "renew.returned";
	return is_new ? "enroll.issued" : "enroll.returned";
}

static struct handed_certificate handed_of(const struct granted *granted)
{
	const struct template *tmpl = granted->evidence->tmpl;

	return (struct handed_certificate){
		.stored = granted->stored,
		.serial = {granted->issued.serial, granted->issued.serial_n},
		.der = buf_view(&granted->issued.der),
		.template = tmpl->name,
		.template_version = (unsigned)tmpl->version,
		.kind = tmpl->kind,
		.key_kind = tmpl->key,
		.key_sha256 = granted->evidence->key_sha256,
		.grant_digest = granted->digest,
		.not_before = granted->issued.not_before,
		.not_after = granted->issued.not_after,
		.issuer = granted->issued.issuer,
		.shard = granted->shard,
	};
}

/* The second trip to the database: everything or nothing. */
static enum err record(const struct issuance *issuance, const struct decision *decision)
{
	const struct claim *claim = issuance->judgement.claim;
	const struct identity *identity = issuance->judgement.identity;
	const struct trust_verdict *trust = identity_trust(identity);
	const struct tpm_name *name = ak_name(issuance->judgement.ak);
	const struct enrollment_facts *facts = &issuance->facts;
	struct handed_certificate handed[LIMIT_KEYS];
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
		.ek_public = identity_public(identity),
		.ek_certificate = identity_certificate(identity),
		.ek_chain = claim->ek_chain,
		.ek_chain_n = claim->ek_chain_n,
		.is_renewal = issuance->is_renewal,
		.host = issuance->judgement.host,
		.allowed_labels = facts->allowed_labels,
		.host_learned = claim->host == NULL,
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
		.certificates = handed,
		.certificates_n = issuance->grants.n,
		.event = event_of(issuance),
		.request_id = issuance->caller->request_id,
		.client_address = issuance->caller->client_address,
		.now = issuance->caller->now,
	};

	for (size_t i = 0; i < issuance->grants.n; i++)
		handed[i] = handed_of(&issuance->grants.item[i]);
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

/* Signs what is not recorded, and records: all of it or nothing. */
static enum err issue(struct issuance *issuance, const struct decision *decision)
{
	const struct grants_from from = grants_from(issuance);
	struct grants *grants = &issuance->grants;

	grants_find_recorded(&from, grants);
	TRY(grants_sign(&from, issuance->caller->now, grants));
	TRY(record(issuance, decision));
	issuance->handed_n = grants->n;
	for (size_t i = 0; i < grants->n; i++) {
		issuance->handed[i].template = grants->item[i].grant.template;
		issuance->handed[i].certificate = granted_certificate(&grants->item[i]);
	}
	issuance->outcome->what = grants_new(grants) > 0 ? "issued" : "returned";
	return OK;
}

static enum err judge_binding(const struct issuance *issuance, struct decision *out)
{
	const struct request *request = &issuance->request;
	const char *templates[LIMIT_KEYS];

	for (size_t i = 0; i < request->keys_n; i++)
		templates[i] = request->keys[i].template;
	TRY(binding_judge(issuance->service, &issuance->judgement, &issuance->facts, templates,
		request->keys_n, out));
	snprintf(issuance->outcome->rule, sizeof(issuance->outcome->rule), "%s", out->rule);
	return OK;
}

enum err renewal_without_name(void)
{
	return refuse(ERR_DENIED, "renewal-name-not-bound", "PROTOCOL renewal",
		"the name is not, or not any more, bound to this device, and a renewal binds "
		"none. Was it taken back? Then ask the admin; whoever wants it again enrolls by "
		"hand (endorse enroll)");
}

/*
 * What a renewal stands on, as the snapshot has it that the record is checked against: it adds no
 * EK and no AK, and binds no name. An EK that nobody vouches for any more waits for nobody, for it
 * has not proven itself.
 */
static enum err judge_renewal(const struct issuance *issuance)
{
	const struct enrollment_facts *facts = &issuance->facts;
	const struct reason *doubt = identity_doubt(issuance->judgement.identity);

	if (!issuance->is_renewal)
		return OK;
	/* First: the name goes with the device's bar, or with its own. */
	TRY(bar_judge(facts->device_state, facts->host_barred, issuance->judgement.host));
	if (!facts->host_is_ours)
		return renewal_without_name();
	if (!facts->ek_known || !facts->ak_known)
		return refuse(ERR_DENIED, "renewal-needs-enrollment", "PROTOCOL renewal",
			"the records have no such AK under this EK any more: enroll again, by the "
			"EK (endorse enroll)");
	return doubt == NULL ? OK : reason_tell(doubt);
}

/* What it signed is not handed out any more either, so there is nothing to give. */
static enum err judge_cas(const struct issuance *issuance)
{
	return issuance->facts.ca_revoked ? ca_revoked(issuance->facts.revoked_ca) : OK;
}

/* Looks, decides, signs and records once. ERR_CONFLICT "database-moved": look again. */
static enum err try_once(struct issuance *issuance)
{
	struct decision decision;

	TRY(look_up(issuance));
	TRY(vouch(issuance));
	if (issuance->facts.ticket_used)
		return repeat(issuance);
	TRY(judge_renewal(issuance));
	TRY(judge_binding(issuance, &decision));
	TRY(judge_cas(issuance));
	TRY(make_grants(issuance));
	if (!decision.is_held && !issuance->request.is_check)
		return issue(issuance, &decision);
	TRY(promise(issuance));
	return decision.is_held ? hold(issuance, &decision) : stop_at_check(issuance);
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
	const struct signer *signer = issuance->service->signer;
	struct answer answer = {
		.host = issuance->judgement.host,
		.device_id = issuance->outcome->device_id,
		.tpm_manufacturer = identity_manufacturer(identity),
		.tpm_model = identity_model(identity),
		.tpm_version = identity_version(identity),
		.trust_class = trust_class_text(trust->class),
		.trust_source = trust->source,
		.trust_chain = trust->chain,
		.certificates_n = issuance->handed_n,
		.ssh_host_ca = signer_ssh_ca(signer, TEMPLATE_SSH_HOST),
		.ssh_user_ca = signer_ssh_ca(signer, TEMPLATE_SSH_USER),
	};

	for (size_t i = 0; i < issuance->handed_n; i++) {
		answer.certificates[i].template = issuance->handed[i].template;
		answer.certificates[i].der = issuance->handed[i].certificate;
	}
	for (size_t i = 0; i < ANSWER_INTERMEDIATES; i++) {
		struct view der = signer_chain(signer, i);

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
		/* Its AK told which it is, also where nothing was judged of an EK yet. */
		.device_id = issuance->is_renewal ? issuance->device_id : NULL,
		.ek_digest = identity == NULL ? NULL : identity_ek_digest(identity),
		.host = issuance->judgement.host[0] == '\0' ? NULL : issuance->judgement.host,
		.trust_version = issuance->trust_version,
		.policy_version = issuance->policy_version,
		.request_id = issuance->caller->request_id,
		.client_address = issuance->caller->client_address,
		.now = issuance->caller->now,
	};

	reason_keep(&kept);
	refusal.event = issuance->is_renewal ? "renew.refused" : "enroll.refused";
	refusal.code = kept.reason.code;
	refusal.sentence = kept.reason.sentence;
	issuance->outcome->is_unrecorded =
		enrollment_refused(issuance->service->db, &refusal) != OK;
	return reason_again(&kept);
}

/*
 * EKs cost nothing to make: the audit is for those that a chain or a record of ours tells from all
 * others. Before the records were read no EK has one. Whoever renews is in the records.
 */
static bool is_nobodys(const struct issuance *issuance)
{
	const struct identity *identity = issuance->judgement.identity;

	return !issuance->is_renewal && identity != NULL && identity_doubt(identity) != NULL &&
	       !issuance->facts.ek_known && !issuance->facts.ek_allowed;
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
