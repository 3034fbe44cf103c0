/* pending_api.h - held attempts, as admins call them. */
#pragma once

#include "enroll/http/exchange.h"

/* The queries that handle_pending() and handle_pending_show() take. */
extern const struct query_key pending_query[];
extern const struct query_key pending_show_query[];

CHECKED enum err handle_pending(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_pending_show(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_pending_accept(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_pending_reject(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_pending_trust_ca(const struct service *service, struct exchange *exchange);
