/* operators.h - an admin says who may administer, and makes tokens. */
#pragma once

#include "enroll/flow/credential.h"
#include "enroll/proto/operators.h"

/*
 * Acts of an admin; all of them: ERR_MALFORMED "why-missing", those of service_clock(). A name that no
 * operator can have is ERR_MALFORMED "operator-name", a role that there is not "role-unknown".
 */
CHECKED enum err operators_add(const struct service *service, const struct caller *caller,
	const struct operator_request *request); /* ERR_CONFLICT "operator-exists" */
CHECKED enum err operators_set_role(const struct service *service, const struct caller *caller,
	const struct operator_request *request); /* ERR_NOT_FOUND "operator-missing" */
/* The same; `*tokens` as operator_disable() has it. */
CHECKED enum err operators_disable(const struct service *service, const struct caller *caller,
	const struct operator_request *request, int64_t *tokens);
/* ERR_MALFORMED "certificate-digest". */
CHECKED enum err operators_revoke_certificate(const struct service *service,
	const struct caller *caller, const struct operator_revoke_request *request);
/* `out` is overwritten, and for operator_list_free() also after a failure. */
CHECKED enum err operators_read(const struct service *service, struct operator_list *out);

/* ERR_MALFORMED "token-expires"; ERR_CONFLICT "token-exists". `out` is for token_answer_wipe(). */
CHECKED enum err tokens_create(const struct service *service, const struct caller *caller,
	const struct token_request *request, struct token_answer *out);
CHECKED enum err tokens_revoke(const struct service *service, const struct caller *caller,
	const struct operator_request *request); /* ERR_NOT_FOUND "token-missing" */
/* `out` is overwritten, and for token_list_free() also after a failure. */
CHECKED enum err tokens_read(const struct service *service, struct token_list *out);
