/* unbind.h - an admin takes a name away from its device. */
#pragma once

#include "enroll/flow/service.h"

/*
 * Unbinds `host`, recording who did it and why. `device_id` gets 32 hexadecimal digits and a NUL.
 * ERR_MALFORMED "host-name", "why-missing"; ERR_NOT_FOUND "host-unknown"; those of service_clock().
 */
CHECKED enum err unbind(const struct service *service, const struct caller *caller, const char *who,
	const char *host, const char *reason, char device_id[static LIMIT_DEVICE_ID + 1]);
