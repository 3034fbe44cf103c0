/* allow_api.h - the allow-list of EKs, as admins call it. */
#pragma once

#include "enroll/http/exchange.h"

/* The query that handle_allowed() takes. */
extern const struct query_key allowed_query[];

CHECKED enum err handle_allowed(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_allow(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_disallow(const struct service *service, struct exchange *exchange);
