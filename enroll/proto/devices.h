/* devices.h - devices as the admin API tells of them (PROTOCOL.md, "Looking for things"). */
#pragma once

#include "enroll/proto/record.h"

/* GET /v1/admin/devices: one of a list. */
extern const struct record_shape devices_shape;
/* GET /v1/admin/device: all of one. */
extern const struct record_shape device_shape;
