/* device_api.h - what devices call: /v1/ticket and /v1/enroll, /v1/renew/ticket and /v1/renew. */
#pragma once

#include "enroll/http/exchange.h"

CHECKED enum err handle_ticket(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_enroll(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_renew_ticket(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_renew(const struct service *service, struct exchange *exchange);
