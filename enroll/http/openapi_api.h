/* openapi_api.h - the description of all routes, as a machine reads it. */
#pragma once

#include "enroll/http/exchange.h"

/* The OpenAPI 3.1 document; made at build time of enroll/http/openapi/ by openapi.cmake. */
extern const unsigned char openapi_document[];
extern const size_t openapi_document_n;

/* GET /v1/admin/openapi.json. */
CHECKED enum err handle_openapi(const struct service *service, struct exchange *exchange);
