/* certificate_api.h - GET /v1/certificates/HEX. */
#pragma once

#include "enroll/http/exchange.h"

#define CERTIFICATES_PATH "/v1/certificates/"

enum err handle_certificate(const struct service *service, struct exchange *exchange);
