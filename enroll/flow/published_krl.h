/* published_krl.h - the OpenSSH KRL: made anew when it has to be, and read by whoever wants it. */
#pragma once

#include "enroll/flow/service.h"

/* How long one is served at most without being made anew: what has ended leaves it, and who fetches
 * it sees that it is looked after. */
#define KRL_PERIOD (12 * HOUR)
/* Certificates stay in it for so long after they have ended. */
#define KRL_AFTER_END DAY

/*
 * Makes and publishes the list where something was revoked since the last one, or KRL_PERIOD is over;
 * otherwise, and where the service has no OpenSSH CA, does next to nothing. Several servers may do so at
 * once: one of them publishes. ERR_BUSY "clock-differs" when our clock is not the database's;
 * errors of krl_read(), signer_krl() and krl_publish().
 */
CHECKED enum err krl_publish_round(const struct service *service);

/*
 * GET /krl and /krl.sig: appends the one that is not NULL. ERR_NOT_FOUND "krl-missing" while there is
 * none.
 */
CHECKED enum err published_krl(
	const struct service *service, struct buf *bytes, struct buf *signature);
