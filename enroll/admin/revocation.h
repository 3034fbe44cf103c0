/* revocation.h - what is still to be published of what was revoked, asked for once or until nothing is. */
#pragma once

#include "enroll/admin/client.h"
#include "enroll/proto/revocation.h"

#define REVOCATION_PATIENCE 60 /* seconds */

/*
 * Asks again and again until CRLs and KRL tell of the device or host of `answer`, or, where there is none,
 * of all, and says on standard error how long that took. ERR_BUSY "not-published" after
 * REVOCATION_PATIENCE.
 */
CHECKED enum err revocation_await(const struct admin_server *server,
	const struct revocation_answer *answer, struct problem *problem);
