/* admin_api.h - what admins call; endorsectl speaks it. */
#pragma once

#include "enroll/http/exchange.h"

CHECKED enum err handle_unbind(const struct service *service, struct exchange *exchange);
/* Takes the configuration anew; a refusal has the list of what is wrong. */
CHECKED enum err handle_reload(const struct service *service, struct exchange *exchange);
