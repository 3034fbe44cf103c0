#include "enroll/flow/judgement.h"

#include "ca/base/hostname.h"
#include "enroll/flow/judged.h"

#include <stdio.h>
#include <string.h>

void judgement_free(struct judgement *judgement)
{
	identity_free(&judgement->identity);
	ak_free(&judgement->ak);
	claim_free(&judgement->claim);
}

enum err judgement_copy(const struct judgement *from, struct judgement *out)
{
	TRY(identity_copy(from->identity, &out->identity));
	out->claim = claim_share(from->claim);
	out->ak = ak_share(from->ak);
	return OK;
}

/* Is this the host in the service's own URL? */
static bool is_own_name(const char *service, const char *host)
{
	const char *at = strstr(service, "://");
	size_t n;

	at = at == NULL ? service : at + 3;
	n = strcspn(at, ":/");
	return strlen(host) == n && strncasecmp(at, host, n) == 0;
}

static enum err judge_host(const struct service *service, const char *host)
{
	TRY(hostname_check(host));
	if (is_own_name(service->name, host))
		return refuse(ERR_MALFORMED, "host-name", "PROTOCOL hosts",
			"\"%s\" is the service's own name", host);
	return OK;
}

/* By the rule that policy_decide() will ask too; without labels, by all that it may be. */
static enum ak_tag_rule tag_rule(
	const struct service *service, const char *host, const struct fact_labels *labels)
{
	bool takes_untagged =
		host[0] != '\0' && policy_takes_untagged(service->policy, host, labels);

	return takes_untagged ? AK_TAG_OR_NONE : AK_TAGGED;
}

static struct identity_rules ek_rules(const struct service *service, const char *host,
	const struct fact_labels *labels, int64_t now)
{
	struct ek_rules rules = host[0] != '\0' ? policy_ek_rules(service->policy, host, labels)
						: policy_ek_rules_of_any(service->policy);

	return (struct identity_rules){
		.trust = service->trust,
		.now = now,
		.takes_unproven = rules.takes_allowed || rules.takes_approved || rules.holds,
		.takes_expired = rules.takes_expired,
		.refuses_bad_firmware = rules.refuses_bad_firmware,
	};
}

/* AK and EK, by what the rule for the host takes. */
static enum err judge_keys(const struct service *service, const struct fact_labels *labels,
	int64_t now, struct judgement *judgement)
{
	const struct claim *claim = judgement->claim;
	const struct identity_rules rules = ek_rules(service, judgement->host, labels, now);

	ak_free(&judgement->ak);
	identity_free(&judgement->identity);
	TRY(ak_judge(claim->ak_public, service->name, tag_rule(service, judgement->host, labels),
		&judgement->ak));
	return identity_judge(&rules,
		&(struct ek_evidence){claim->ek_certificate, claim->ek_public, claim->ek_chain,
			claim->ek_chain_n},
		&judgement->identity);
}

/* Is the claim one that this service may judge at all? */
static enum err judge_words(const struct service *service, struct judgement *judgement)
{
	const struct claim *claim = judgement->claim;

	snprintf(judgement->host, sizeof(judgement->host), "%s",
		claim->host == NULL ? "" : claim->host);
	if (strcmp(claim->service, service->name) != 0)
		return refuse(ERR_DENIED, "wrong-service", "PROTOCOL claim",
			"the claim is for the service \"%.255s\" and this is \"%s\": enroll with "
			"--service %s",
			claim->service, service->name, service->name);
	return claim->host == NULL ? OK : judge_host(service, claim->host);
}

enum err claim_judge(
	const struct service *service, struct view bytes, int64_t now, struct judgement *out)
{
	uint8_t key[SHA256_SIZE];

	TRY(judged_key(service, bytes, key));
	if (service->judged != NULL && judged_recall(service->judged, key, now, out))
		return judge_words(service, out);
	TRY(claim_parse(bytes, &out->claim));
	TRY(judge_words(service, out));
	TRY(judge_keys(service, NULL, now, out));
	if (service->judged != NULL)
		judged_remember(service->judged, key, now, out);
	return OK;
}

enum err claim_judge_as(const struct service *service, const char *host,
	const struct fact_labels *labels, int64_t now, struct judgement *judgement)
{
	snprintf(judgement->host, sizeof(judgement->host), "%s", host);
	TRY(judge_host(service, host));
	return judge_keys(service, labels, now, judgement);
}
