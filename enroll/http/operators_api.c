#include "enroll/http/operators_api.h"

#include "enroll/flow/operators.h"

#include <stdio.h>

enum err handle_whoami(const struct service *service, struct exchange *exchange)
{
	const struct admitted *admitted = &exchange->admitted;
	struct whoami whoami = {.until = admitted->until};

	(void)service;
	snprintf(whoami.who, sizeof(whoami.who), "%s", admitted->who);
	snprintf(whoami.role, sizeof(whoami.role), "%s", role_words[admitted->role]);
	snprintf(whoami.by, sizeof(whoami.by), "%s", admitted_by_words[admitted->by]);
	return whoami_encode(&whoami, &exchange->answer);
}

enum err handle_operators(const struct service *service, struct exchange *exchange)
{
	AUTO(operator_list_free) struct operator_list list = {0};

	TRY(operators_read(service, &list));
	return operator_list_encode(&list, &exchange->answer);
}

static enum err answer(struct exchange *exchange, const struct operator_request *request,
	int64_t tokens, const char *what)
{
	struct operator_answer out = {.tokens = tokens};

	snprintf(out.name, sizeof(out.name), "%s", request->name);
	snprintf(out.role, sizeof(out.role), "%s", request->role);
	exchange->outcome.what = what;
	return operator_answer_encode(&out, &exchange->answer);
}

enum err handle_operator_add(const struct service *service, struct exchange *exchange)
{
	struct operator_request request;

	TRY(operator_request_parse(exchange->body, true, &request));
	TRY(operators_add(service, &exchange->caller, &request));
	return answer(exchange, &request, 0, "added");
}

enum err handle_operator_role(const struct service *service, struct exchange *exchange)
{
	struct operator_request request;

	TRY(operator_request_parse(exchange->body, true, &request));
	TRY(operators_set_role(service, &exchange->caller, &request));
	return answer(exchange, &request, 0, "changed");
}

enum err handle_operator_disable(const struct service *service, struct exchange *exchange)
{
	struct operator_request request;
	int64_t tokens;

	TRY(operator_request_parse(exchange->body, false, &request));
	TRY(operators_disable(service, &exchange->caller, &request, &tokens));
	return answer(exchange, &request, tokens, "disabled");
}

enum err handle_operator_revoke(const struct service *service, struct exchange *exchange)
{
	struct operator_revoke_request request;

	TRY(operator_revoke_request_parse(exchange->body, &request));
	TRY(operators_revoke_certificate(service, &exchange->caller, &request));
	exchange->outcome.what = "revoked";
	return operator_revoke_answer_encode(request.certificate_sha256, &exchange->answer);
}

enum err handle_tokens(const struct service *service, struct exchange *exchange)
{
	AUTO(token_list_free) struct token_list list = {0};

	TRY(tokens_read(service, &list));
	return token_list_encode(&list, &exchange->answer);
}

enum err handle_token_create(const struct service *service, struct exchange *exchange)
{
	AUTO(token_answer_wipe) struct token_answer created = {.name = ""};
	struct token_request request;

	TRY(token_request_parse(exchange->body, &request));
	TRY(tokens_create(service, &exchange->caller, &request, &created));
	exchange->outcome.what = "created";
	return token_answer_encode(&created, &exchange->answer);
}

enum err handle_token_revoke(const struct service *service, struct exchange *exchange)
{
	struct operator_request request;

	TRY(operator_request_parse(exchange->body, false, &request));
	TRY(tokens_revoke(service, &exchange->caller, &request));
	return answer(exchange, &request, 0, "revoked");
}
