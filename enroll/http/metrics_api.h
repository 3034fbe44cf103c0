/* metrics_api.h - what programs that watch the service fetch. */
#pragma once

#include "enroll/http/exchange.h"

/* GET /metrics: Prometheus text format 0.0.4. */
CHECKED enum err handle_metrics(const struct service *service, struct exchange *exchange);
/* GET /v1/admin/status. */
CHECKED enum err handle_status(const struct service *service, struct exchange *exchange);
