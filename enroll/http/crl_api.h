/* crl_api.h - GET /crl/NAME, GET /v1/admin/crls, GET /v1/admin/crl. */
#pragma once

#include "enroll/http/exchange.h"

#define CRL_PATH "/crl/"

extern const struct query_key crls_query[], admin_crl_query[];

enum err handle_crl(const struct service *service, struct exchange *exchange);
enum err handle_crls(const struct service *service, struct exchange *exchange);
enum err handle_admin_crl(const struct service *service, struct exchange *exchange);
