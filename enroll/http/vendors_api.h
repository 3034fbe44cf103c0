/* vendors_api.h - what admins call about the trust set; endorsectl vendors speaks it. */
#pragma once

#include "enroll/http/exchange.h"

CHECKED enum err handle_vendors_list(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_vendors_export(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_vendors_import(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_vendors_remove(const struct service *service, struct exchange *exchange);
