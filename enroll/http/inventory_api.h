/* inventory_api.h - what admins look for. */
#pragma once

#include "enroll/http/exchange.h"

extern const struct query_key devices_query[];
extern const struct query_key device_query[];
extern const struct query_key hosts_query[];
extern const struct query_key certificates_query[];
extern const struct query_key certificate_query[];
extern const struct query_key audit_query[];

CHECKED enum err handle_devices(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_device(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_hosts(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_certificates(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_certificate_show(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_audit(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_statistics(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_templates(const struct service *service, struct exchange *exchange);
