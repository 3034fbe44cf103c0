/* statistics.h - how many there are of what, and the templates (PROTOCOL.md, "Looking for things"). */
#pragma once

#include "enroll/proto/record.h"

/* GET /v1/admin/statistics: one number. */
extern const struct record_shape statistics_shape;
/* GET /v1/admin/templates: one template. */
extern const struct record_shape templates_shape;
