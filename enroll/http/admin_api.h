/* admin_api.h - what admins call; endorsectl speaks it. */
#pragma once

#include "enroll/http/exchange.h"

/* The query that handle_attempts() takes. */
extern const struct query_key attempts_query[];
/* ... and handle_strangers(). */
extern const struct query_key strangers_query[];

CHECKED enum err handle_attempts(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_strangers(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_doctor(const struct service *service, struct exchange *exchange);
CHECKED enum err handle_unbind(const struct service *service, struct exchange *exchange);
/* Takes the configuration anew; a refusal has the list of what is wrong. */
CHECKED enum err handle_reload(const struct service *service, struct exchange *exchange);
