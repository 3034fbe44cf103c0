/* operators_api.h - who may administer, as admins call it. */
#pragma once

#include "enroll/http/exchange.h"

CHECKED enum err handle_whoami(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_operators(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_operator_add(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_operator_role(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_operator_disable(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_operator_revoke(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_tokens(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_token_create(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_token_revoke(const struct service *service, struct exchange *exchange);
