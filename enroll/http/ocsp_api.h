/* ocsp_api.h - POST /ocsp, and GET /ocsp/BASE64 (RFC 6960 A.1). */
#pragma once

#include "enroll/http/exchange.h"

#define OCSP_PATH "/ocsp"

/* What is wrong is told in the words of OCSP, with status 200: the client reads nothing else. */
enum err handle_ocsp_post(const struct service *service, struct exchange *exchange);
enum err handle_ocsp_get(const struct service *service, struct exchange *exchange);
