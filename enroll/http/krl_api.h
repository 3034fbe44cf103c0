/* krl_api.h - GET /krl and /krl.sig, for hosts and, below /v1/admin/, for admins. */
#pragma once

#include "enroll/http/exchange.h"

enum err handle_krl(const struct service *service, struct exchange *exchange);
enum err handle_krl_signature(const struct service *service, struct exchange *exchange);
