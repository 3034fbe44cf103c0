#include "enroll/flow/operators.h"

#include "ca/base/encode.h"
#include "db/token.h"
#include "enroll/flow/act.h"

#include <stdio.h>

static enum err check_name(const char *name)
{
	if (operator_name_is(name))
		return OK;
	return refuse(ERR_MALFORMED, "operator-name", "PROTOCOL roles",
		"\"%.80s\" is no name here: wanted a letter or digit, then letters, digits and "
		". _ @ -, at most %d",
		name, OPERATOR_NAME);
}

static enum err begin(const struct service *service, const struct caller *caller, const char *name,
	const char *reason, struct act *act)
{
	TRY(act_make(service, caller, caller->who, reason, act));
	return check_name(name);
}

enum err operators_add(const struct service *service, const struct caller *caller,
	const struct operator_request *request)
{
	struct act act;
	enum role role;

	TRY(begin(service, caller, request->name, request->why, &act));
	TRY(role_read(request->role, &role));
	return operator_add(service->db, request->name, role_words[role], &act);
}

enum err operators_set_role(const struct service *service, const struct caller *caller,
	const struct operator_request *request)
{
	struct act act;
	enum role role;

	TRY(begin(service, caller, request->name, request->why, &act));
	TRY(role_read(request->role, &role));
	return operator_set_role(service->db, request->name, role_words[role], &act);
}

enum err operators_disable(const struct service *service, const struct caller *caller,
	const struct operator_request *request, int64_t *tokens)
{
	struct act act;
	char who[WHO_SIZE];

	TRY(begin(service, caller, request->name, request->why, &act));
	who_write(BY_CERTIFICATE, request->name, who);
	return operator_disable(service->db, request->name, who, &act, tokens);
}

enum err operators_revoke_certificate(const struct service *service, const struct caller *caller,
	const struct operator_revoke_request *request)
{
	uint8_t digest[SHA256_SIZE];
	struct act act;

	TRY(act_make(service, caller, caller->who, request->why, &act));
	if (hex_read(view_str(request->certificate_sha256), digest, sizeof(digest)) != OK)
		return refuse(ERR_MALFORMED, "certificate-digest", "PROTOCOL roles",
			"\"%.80s\" is no SHA-256 of a certificate: wanted %d hexadecimal digits",
			request->certificate_sha256, CERTIFICATE_DIGITS);
	return operator_revoke_certificate(service->db, digest, request->name, &act);
}

static void tell_operator(const struct operator_row *row, struct operator_item *out)
{
	snprintf(out->name, sizeof(out->name), "%s", row->name);
	snprintf(out->role, sizeof(out->role), "%s", row->role);
	snprintf(out->created_by, sizeof(out->created_by), "%s", row->created_by);
	snprintf(out->disabled_by, sizeof(out->disabled_by), "%s", row->disabled_by);
	out->created_at = row->created_at;
	out->disabled_at = row->disabled_at;
}

static void tell_revoked(const struct operator_revoked_row *row, struct operator_revoked *out)
{
	hex_write(VIEW(row->certificate), out->certificate_sha256);
	snprintf(out->name, sizeof(out->name), "%s", row->name);
	snprintf(out->revoked_by, sizeof(out->revoked_by), "%s", row->revoked_by);
	snprintf(out->why, sizeof(out->why), "%s", row->why);
	out->revoked_at = row->revoked_at;
}

enum err operators_read(const struct service *service, struct operator_list *out)
{
	AUTO(operator_page_free) struct operator_page page = {0};

	*out = (struct operator_list){0};
	TRY(operator_list(service->db, OPERATORS_MAX, &page));
	TRY(operator_list_init(out, page.n, page.revoked_n));
	for (; out->n < page.n; out->n++)
		tell_operator(&page.items[out->n], &out->items[out->n]);
	for (; out->revoked_n < page.revoked_n; out->revoked_n++)
		tell_revoked(&page.revoked[out->revoked_n], &out->revoked[out->revoked_n]);
	out->more = page.more;
	return OK;
}

enum err tokens_create(const struct service *service, const struct caller *caller,
	const struct token_request *request, struct token_answer *out)
{
	AUTO(key_wipe) struct secret_key token;
	uint8_t digest[SHA256_SIZE];
	struct act act;
	enum role role;

	TRY(begin(service, caller, request->name, request->why, &act));
	TRY(role_read(request->role, &role));
	if (request->expires_in < 1 || request->expires_in > TOKEN_SECONDS_MAX)
		return refuse(ERR_MALFORMED, "token-expires", "PROTOCOL roles",
			"a token is good for 1 to %d seconds, which is %d days", TOKEN_SECONDS_MAX,
			TOKEN_SECONDS_MAX / 86400);
	TRY(random_bytes(token.bytes, sizeof(token.bytes)));
	TRY(SHA256_OF(digest, VIEW(token.bytes)));
	out->expires_at = caller->now + request->expires_in;
	TRY(token_create(
		service->db, digest, request->name, role_words[role], out->expires_at, &act));
	snprintf(out->name, sizeof(out->name), "%s", request->name);
	snprintf(out->role, sizeof(out->role), "%s", role_words[role]);
	hex_write(VIEW(token.bytes), out->token);
	return OK;
}

enum err tokens_revoke(const struct service *service, const struct caller *caller,
	const struct operator_request *request)
{
	struct act act;

	TRY(begin(service, caller, request->name, request->why, &act));
	return token_revoke(service->db, request->name, &act);
}

static void tell_token(const struct token_row *row, struct token_item *out)
{
	snprintf(out->name, sizeof(out->name), "%s", row->name);
	snprintf(out->role, sizeof(out->role), "%s", row->role);
	snprintf(out->created_by, sizeof(out->created_by), "%s", row->created_by);
	snprintf(out->revoked_by, sizeof(out->revoked_by), "%s", row->revoked_by);
	out->created_at = row->created_at;
	out->expires_at = row->expires_at;
	out->revoked_at = row->revoked_at;
	out->used_at = row->used_at;
}

enum err tokens_read(const struct service *service, struct token_list *out)
{
	AUTO(token_page_free) struct token_page page = {0};

	*out = (struct token_list){0};
	TRY(token_list(service->db, OPERATORS_MAX, &page));
	TRY(token_list_init(out, page.n));
	for (; out->n < page.n; out->n++)
		tell_token(&page.items[out->n], &out->items[out->n]);
	out->more = page.more;
	return OK;
}
