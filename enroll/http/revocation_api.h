/* revocation_api.h - what admins take back, and give back. */
#pragma once

#include "enroll/http/exchange.h"

CHECKED enum err handle_device_revoke(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_device_hold(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_device_unhold(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_device_reinstate(const struct service *service, struct exchange *exchange);
