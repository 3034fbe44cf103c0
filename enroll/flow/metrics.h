/* metrics.h - what a monitoring system wants to know of this server, and of what all servers share. */
#pragma once

#include "enroll/flow/service.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/*
 * Appends it in the Prometheus text format 0.0.4. What needs the database is left out while that does not answer,
 * and endorse_database_up is 0: who asks is told all the rest. ERR_TOO_LARGE.
 */
CHECKED enum err metrics_write(const struct service *service, int64_t now, struct buf *out);
