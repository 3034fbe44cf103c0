#include "enroll/flow/decide.h"

#include "ca/base/encode.h"
#include "db/trusted.h"
#include "enroll/flow/act.h"
#include "enroll/flow/attempt_id.h"
#include "enroll/tpm/identity.h"
#include "enroll/trust/candidate.h"
#include "enroll/trust/issuerhint.h"
#include "enroll/trust/vouching.h"

#include <stdio.h>
#include <string.h>

/* What a path is looked for with. */
struct search {
	const struct pending *pending;
	const char *manufacturers;
	int64_t now;
};

static void passed_over(void *ctx, const char *path, const char *reason)
{
	(void)ctx, (void)path, (void)reason;
}

/* Does a path lead from `i` of the chain, as the only anchor, to the EK's certificate? */
static bool leads_to_ek(const struct search *search, size_t i)
{
	AUTO(trust_free) struct trust *trust = NULL;
	AUTO(identity_free) struct identity *identity = NULL;
	struct view chain[PENDING_CHAIN];
	const struct trust_item anchor = {.role = TRUST_ROOT,
		.class = TRUST_OPERATOR_IMPORT,
		.der = buf_view(&search->pending->chain[i]),
		.manufacturers = search->manufacturers,
		.source = "attempt"};
	const struct ek_evidence evidence = {buf_view(&search->pending->ek_certificate),
		buf_view(&search->pending->ek_public), chain, search->pending->chain_n};
	struct identity_rules rules = {.now = search->now};

	for (size_t k = 0; k < search->pending->chain_n; k++)
		chain[k] = buf_view(&search->pending->chain[k]);
	if (trust_add(NULL, &anchor, 1, passed_over, NULL, &trust) != OK)
		return false;
	rules.trust = trust;
	return identity_judge(&rules, &evidence, &identity) == OK;
}

static enum err not_sent(const struct pending *pending)
{
	struct issuer_hint hint;

	if (pending->ek_certificate.n == 0)
		return refuse(ERR_REJECTED, "ca-not-sent", "PROTOCOL admin",
			"this TPM has no EK certificate, so no CA vouches for it: accept the "
			"attempt, "
			"or put its EK on the allow-list (endorsectl ek allow add)");
	issuer_hint_read(buf_view(&pending->ek_certificate), &hint);
	return refuse(ERR_REJECTED, "ca-not-sent", "PROTOCOL admin",
		"the attempt came with no CA certificate: get that of \"%s\"%s%s and endorsectl "
		"vendors import it",
		hint.name, hint.url[0] == '\0' ? "" : " from ", hint.url);
}

static enum err no_path(const struct pending *pending)
{
	struct issuer_hint hint;

	issuer_hint_read(buf_view(&pending->ek_certificate), &hint);
	return refuse(ERR_REJECTED, "ca-no-path", "RFC 5280 6.1",
		"no certificate of this digest that the attempt came with vouches for its EK: that "
		"was signed by \"%s\"; endorsectl pending show tells what came with it now",
		hint.name);
}

/* By its digest alone: what came with the attempt may be other certificates since an admin looked. */
static enum err choose(const struct search *search, const char *wanted, size_t *out)
{
	for (size_t i = 0; i < search->pending->chain_n; i++) {
		uint8_t digest[SHA256_SIZE];
		char text[2 * SHA256_SIZE + 1];

		TRY(SHA256_OF(digest, buf_view(&search->pending->chain[i])));
		hex_write(VIEW(digest), text);
		if (strcasecmp(text, wanted) != 0)
			continue;
		if (!leads_to_ek(search, i))
			break;
		*out = i;
		return OK;
	}
	return no_path(search->pending);
}

/* The maker that the certificate claims: nothing else shall come through this door. */
static enum err read_manufacturers(
	const struct pending *pending, const char *wanted, struct buf *out)
{
	if (wanted[0] != '\0')
		return vouching_read(wanted, out);
	return vouching_read(pending->manufacturer, out);
}

static enum err import(const struct service *service, const struct act *act,
	const struct pending *pending, struct view der, struct trust_ca_answer *out)
{
	struct candidate candidate;
	struct trusted item = {.role = "root", .der = der, .manufacturers = out->manufacturers};
	char source[64], id[LIMIT_ATTEMPT_ID + 1];
	size_t added = 0;

	TRY(candidate_judge(der, CANDIDATE_ROOT, act->now, &candidate));
	hex_write(VIEW(pending->attempt_id), id);
	snprintf(source, sizeof(source), "attempt %s", id);
	item.source = source;
	item.path = "";
	memcpy(item.sha256, candidate.sha256, sizeof(item.sha256));
	TRY(trusted_import(service->db, &item, 1, act, &added));
	out->is_known = added == 0;
	hex_write(VIEW(candidate.sha256), out->certificate);
	snprintf(out->subject, sizeof(out->subject), "%s", candidate.subject);
	return OK;
}

enum err decide_trust_ca(const struct service *service, const struct caller *caller,
	const char *who, const struct trust_ca_request *request, struct trust_ca_answer *out)
{
	AUTO(pending_free) struct pending pending = {0};
	AUTO(buf_free) struct buf manufacturers = BUF(VOUCHING_MAX);
	uint8_t attempt_id[ATTEMPT_ID_SIZE];
	struct search search = {&pending, out->manufacturers, caller->now};
	struct act act;
	size_t chosen = 0;

	*out = (struct trust_ca_answer){0};
	TRY(attempt_id_read(request->id, attempt_id));
	TRY(act_make(service, caller, who, request->why, &act));
	TRY(pending_find(service->db, attempt_id, &pending));
	if (pending.ek_certificate.n == 0 || pending.chain_n == 0)
		return not_sent(&pending);
	TRY(read_manufacturers(&pending, request->manufacturers, &manufacturers));
	snprintf(out->manufacturers, sizeof(out->manufacturers), "%s", buf_text(&manufacturers));
	TRY(choose(&search, request->certificate, &chosen));
	return import(service, &act, &pending, buf_view(&pending.chain[chosen]), out);
}
