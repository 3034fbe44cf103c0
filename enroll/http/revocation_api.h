/* revocation_api.h - what admins take back, and give back. */
#pragma once

#include "enroll/http/exchange.h"

CHECKED enum err handle_device_revoke(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_device_hold(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_device_unhold(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_device_reinstate(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_certificate_revoke(
	const struct service *service, struct exchange *exchange);
CHECKED enum err handle_certificate_hold(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_certificate_unhold(
	const struct service *service, struct exchange *exchange);
CHECKED enum err handle_host_revoke(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_host_retire(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_host_reinstate(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_ca_revoke(const struct service *service, struct exchange *exchange);

extern const struct query_key revocation_query[];
/* What is still to be published. */
CHECKED enum err handle_revocation(const struct service *service, struct exchange *exchange);
