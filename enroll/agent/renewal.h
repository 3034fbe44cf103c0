/* renewal.h - new certificates for the keys that are held, by a signature of the AK; the EK is not asked. */
#pragma once

#include "enroll/agent/attempt.h"
#include "enroll/agent/held.h"

/*
 * When the next certificate is to be fetched: between a half and two thirds of its life, at a place
 * that its digest chooses, so that a fleet which was enrolled in one hour does not come back in
 * one.
 */
int64_t renewal_time(int64_t from, int64_t until, const uint8_t digest[static SHA256_SIZE]);
/* The earliest of all that are held; `*which` says whose. */
int64_t renewal_next(const struct held *held, size_t *which);

/*
 * As attempt_run(), with POST /v1/renew/ticket and /v1/renew (PROTOCOL.md, "Renewal");
 * `attempt->wanted` is what is kept and `before` the enrollment. ERR_DENIED "service-refused" with
 * `problem`, and the others of http_post(); those of device_ak_load() when the TPM has the AK no
 * more.
 */
CHECKED enum err renewal_run(struct attempt *attempt);

/*
 * Was it refused in a way that a whole enrollment, with the EK, may cure? Never for "renewal-name-not-bound": it would
 * take the name that an admin took from this machine.
 */
bool renewal_needs_enrollment(const struct problem *problem);
