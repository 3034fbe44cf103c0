/* health_api.h - what edges and monitors ask. */
#pragma once

#include "enroll/http/exchange.h"

/* Is the process there? 200 "ok". While it drains, the listener answers 503 before this is asked. */
CHECKED enum err handle_health(const struct service *service, struct exchange *exchange);
/* Can it issue? Database reachable, schema current, clock right, CA key usable; 503 with what is wrong
 * in words for the operator: the edge lets no stranger ask. */
CHECKED enum err handle_ready(const struct service *service, struct exchange *exchange);
