#include "enroll/flow/judgement.h"

#include "ca/base/hostname.h"

#include <string.h>

void judgement_free(struct judgement *judgement)
{
	identity_free(&judgement->identity);
	ak_free(&judgement->ak);
	claim_free(&judgement->claim);
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

/* By the rule that has the name, and by that one alone: policy_decide() will ask the same. */
static enum ak_tag_rule tag_rule(const struct service *service, const char *host)
{
	return policy_takes_untagged(service->policy, host) ? AK_TAG_OR_NONE : AK_TAGGED;
}

enum err claim_judge(
	const struct service *service, struct view bytes, int64_t now, struct judgement *out)
{
	const struct claim *claim;

	TRY(claim_parse(bytes, &out->claim));
	claim = out->claim;
	if (strcmp(claim->service, service->name) != 0)
		return refuse(ERR_DENIED, "wrong-service", "PROTOCOL claim",
			"the claim is for the service \"%.255s\" and this is \"%s\": enroll with "
			"--service %s",
			claim->service, service->name, service->name);
	if (claim->host == NULL)
		return refuse(ERR_MALFORMED, "json-key-missing", "PROTOCOL json", "no host");
	TRY(judge_host(service, claim->host));
	TRY(ak_judge(claim->ak_public, service->name, tag_rule(service, claim->host), &out->ak));
	return identity_judge(&(struct identity_rules){.trust = service->trust, .now = now},
		&(struct ek_evidence){claim->ek_certificate, claim->ek_public, claim->ek_chain,
			claim->ek_chain_n},
		&out->identity);
}
