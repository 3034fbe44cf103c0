/* revocation.h - an admin takes something back, or gives it back. */
#pragma once

#include "enroll/flow/service.h"
#include "enroll/proto/revocation.h"

/*
 * Each does what db/revoke.h and those beside it say, with who and why in the audit. `out` is
 * overwritten, and for revocation_answer_free() also after a failure. ERR_MALFORMED "which" (not
 * exactly one of what the act goes by), "device-id", "ek-digest", "host-name", "serial",
 * "revocation-reason", "why-missing"; those of service_clock().
 */
typedef enum err revocation_act(const struct service *service, const struct caller *caller,
	const struct revocation_request *request, struct revocation_answer *out);

/* By id, host, ek_sha256 or serial. */
revocation_act revoke_device, hold_device, unhold_device, reinstate_device;
