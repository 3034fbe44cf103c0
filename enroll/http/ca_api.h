/* ca_api.h - GET /ca/NAME. */
#pragma once

#include "enroll/http/exchange.h"

#define CA_PATH "/ca/"

enum err handle_ca(const struct service *service, struct exchange *exchange);
