/* certificates.h - certificates as the admin API tells of them (PROTOCOL.md, "Looking for things"). */
#pragma once

#include "enroll/proto/record.h"

#define LIMIT_SERIAL_NUMBER 20 /* bytes: RFC 5280 4.1.2.2 */

/* GET /v1/admin/certificates: one of a list. */
extern const struct record_shape certificates_shape;
/* GET /v1/admin/certificate: one with its bytes, and those of the CAs above it. */
extern const struct record_shape certificate_shape;
