/* binding_api.h - what operators change about devices and their names. */
#pragma once

#include "enroll/http/exchange.h"

CHECKED enum err handle_device_labels(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_rebind(const struct service *service, struct exchange *exchange);
