#include "enroll/flow/credential.h"

#include "ca/base/encode.h"
#include "db/token.h"

#include <stdio.h>
#include <string.h>

const char *const role_words[] = {
	[ROLE_AUDITOR] = "auditor", [ROLE_OPERATOR] = "operator", [ROLE_ADMIN] = "admin", NULL};
const char *const admitted_by_words[] = {
	[BY_FILE] = "file", [BY_CERTIFICATE] = "certificate", [BY_TOKEN] = "token", NULL};

enum err role_read(const char *word, enum role *out)
{
	for (int i = 0; role_words[i] != NULL; i++)
		if (strcmp(role_words[i], word) == 0) {
			*out = (enum role)i;
			return OK;
		}
	return refuse(ERR_MALFORMED, "role-unknown", "PROTOCOL roles",
		"the role is \"%.32s\": wanted auditor, operator or admin", word);
}

void who_write(enum admitted_by by, const char *name, char out[static WHO_SIZE])
{
	snprintf(out, WHO_SIZE, "%s:%s", by == BY_TOKEN ? "token" : "operator", name);
}

/* A word of the records that is no role of ours lets nobody in. */
static enum err take_role(const char *word, struct admitted *out)
{
	if (role_read(word, &out->role) != OK)
		return fail(ERR_INTERNAL, "database-record", "there is no role \"%s\"", word);
	return OK;
}

static enum err judge_certificate(const struct service *service, const struct caller *caller,
	struct view der, struct admitted *out)
{
	struct operator_certificate certificate;
	struct operator_standing standing;

	if (service->admin_ca == NULL)
		return refuse(ERR_DENIED, "not-an-operator", "endorsed.yaml admin_ca",
			"this service takes no certificates of operators: it has no admin_ca");
	TRY(admin_ca_judge(service->admin_ca, der, caller->now, &certificate));
	TRY(operator_find(service->db, certificate.name, certificate.sha256, &standing));
	if (standing.is_revoked)
		return refuse(ERR_DENIED, "operator-certificate-revoked", "PROTOCOL roles",
			"this certificate of %s was taken back", certificate.name);
	if (!standing.is_known)
		return refuse(ERR_DENIED, "operator-unknown", "PROTOCOL roles",
			"there is no operator %s: an admin adds one with endorsectl operator add",
			certificate.name);
	if (standing.is_disabled)
		return refuse(ERR_DENIED, "operator-disabled", "PROTOCOL roles",
			"the operator %s was disabled", certificate.name);
	out->by = BY_CERTIFICATE;
	who_write(BY_CERTIFICATE, certificate.name, out->who);
	out->until = certificate.not_after;
	return take_role(standing.role, out);
}

static enum err unknown_token(void)
{
	return refuse(
		ERR_UNPROVEN, "token-unknown", "RFC 6750 3.1", "this is no token of this service");
}

static enum err judge_kept_token(const struct service *service, const struct caller *caller,
	const struct secret_key *token, struct admitted *out)
{
	struct token_standing standing;
	uint8_t digest[SHA256_SIZE];

	TRY(SHA256_OF(digest, VIEW(token->bytes)));
	TRY(token_find(service->db, digest, caller->now, &standing));
	if (!standing.is_known)
		return unknown_token();
	if (standing.is_revoked)
		return refuse(ERR_UNPROVEN, "token-revoked", "RFC 6750 3.1",
			"the token %s was revoked", standing.name);
	if (standing.expires_at <= caller->now)
		return refuse(ERR_UNPROVEN, "token-expired", "RFC 6750 3.1",
			"the token %s has expired: an admin makes another one with endorsectl "
			"token create",
			standing.name);
	out->by = BY_TOKEN;
	who_write(BY_TOKEN, standing.name, out->who);
	out->until = standing.expires_at;
	return take_role(standing.role, out);
}

static enum err judge_token(const struct service *service, const struct caller *caller,
	const struct credential *credential, struct admitted *out)
{
	AUTO(key_wipe) struct secret_key token;

	if (hex_read(view_str(credential->token), token.bytes, sizeof(token.bytes)) != OK)
		return unknown_token();
	if (credential->is_local &&
		secret_equal(token.bytes, service->admin_token, sizeof(token.bytes))) {
		*out = (struct admitted){.role = ROLE_ADMIN, .by = BY_FILE, .who = "admin-token"};
		return OK;
	}
	/* What ends is only to be judged by a clock that is right. */
	TRY(service_clock(service, caller));
	return judge_kept_token(service, caller, &token, out);
}

enum err credential_judge(const struct service *service, const struct caller *caller,
	const struct credential *credential, struct admitted *out)
{
	*out = (struct admitted){.role = ROLE_AUDITOR};
	if (credential->certificate.n > 0 && credential->token != NULL)
		return refuse(ERR_MALFORMED, "credential-twice", "PROTOCOL roles",
			"a certificate and a token came with one request: send one of them");
	if (credential->token != NULL)
		return judge_token(service, caller, credential, out);
	if (credential->certificate.n == 0)
		return refuse(ERR_UNPROVEN, "credential-missing", "RFC 9110 15.5.2",
			"who asks is not known: send a token, or use the edge for admins with an "
			"operator's certificate");
	TRY(service_clock(service, caller));
	return judge_certificate(service, caller, credential->certificate, out);
}

enum err admitted_has(const struct admitted *admitted, enum role role)
{
	if (admitted->role >= role)
		return OK;
	return refuse(ERR_DENIED, "role-insufficient", "PROTOCOL roles",
		"this takes the role %s, and %s has the role %s", role_words[role], admitted->who,
		role_words[admitted->role]);
}
