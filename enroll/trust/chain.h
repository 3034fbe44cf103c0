/* chain.h - one path, judged after RFC 5280 6.1: by X509_verify_cert(), and by when its certificates end. */
#pragma once

#include "enroll/trust/path.h"

/*
 * X509_verify_cert() says exactly 1 with nothing but these certificates, the last one the only one that may
 * end a chain: X509_V_FLAG_X509_STRICT, auth level 1, and no CA key below 112 bits. Time is not looked at, and of
 * signatures only those that are not of one step of the path by the next, which its maker has verified.
 * `*verified` is what it went by, which may leave out a step. ERR_REJECTED "ek-chain", "ek-weak".
 */
CHECKED enum err chain_verify(const struct path *path, struct path *verified);

/* Each of them has begun at `now`: ERR_REJECTED "ek-not-yet-valid", or "ek-chain" for no date. */
CHECKED enum err chain_has_begun(const struct path *path, int64_t now);

/* None of them has ended at `now`: ERR_REJECTED "ek-expired" says which has, and when. */
CHECKED enum err chain_has_not_ended(const struct path *path, int64_t now);
