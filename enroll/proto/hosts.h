/* hosts.h - host names as the admin API tells of them (PROTOCOL.md, "Looking for things"). */
#pragma once

#include "enroll/proto/record.h"

/* GET /v1/admin/hosts: one of a list. */
extern const struct record_shape hosts_shape;
