/* crl_api.h - GET /crl/NAME. */
#pragma once

#include "enroll/http/exchange.h"

#define CRL_PATH "/crl/"

enum err handle_crl(const struct service *service, struct exchange *exchange);
