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

/* By id, host, ek_digest or serial. */
revocation_act revoke_device, hold_device, unhold_device, reinstate_device;
/* By serial. */
revocation_act revoke_certificate, hold_certificate, unhold_certificate;
/* By host. */
revocation_act revoke_host, retire_host, reinstate_host;
/* By issuer: ERR_MALFORMED "issuer-id" for fewer than 16 digits. */
revocation_act revoke_ca;

/* What is still to be published: of a device, a host or a certificate, or, with all NULL, of all.
 * `out` is large. ERR_MALFORMED "which", "device-id", "host-name", "serial". */
CHECKED enum err revocation_look(const struct service *service, const struct caller *caller,
	const struct revocation_request *of, struct revocation_status *out);

/* Has the certificates of revoked CAs follow them, for about so long. Errors of db_run(). */
CHECKED enum err revocation_round(const struct service *service, unsigned within_ms);
