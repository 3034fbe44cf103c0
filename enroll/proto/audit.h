/* audit.h - the audit as the admin API tells it (PROTOCOL.md, "Looking for things"). */
#pragma once

#include "enroll/proto/record.h"

/* GET /v1/admin/audit: one of a list. */
extern const struct record_shape audit_shape;
