/* hierarchy_crl.h - the CRL of the root that hierarchy_make() made: of CAs that were taken back. */
#pragma once

#include "ca/base/err.h"
#include "ca/base/revoked.h"

struct hierarchy_crl {
	uint64_t number;
	size_t n; /* certificates in it */
	int64_t next_update; /* seconds since 1970 */
};

/*
 * Makes the root's next CRL, good for `days`, with the key in DIR/offline, and writes it as PEM to
 * `path`. What it says is what the CRL before said, which is kept beside the key as DIR/offline/root.crl
 * (there is none at first), and, unless `certificate` is NULL, the first certificate of that PEM file:
 * taken back now, for `reason`. The kept one is written first, so that a number is never given twice.
 * ERR_REJECTED "crl-not-issued" for a certificate of another CA; ERR_CONFLICT "crl-listed" for one that
 * is in it; ERR_INTERNAL "ca-crl" when what is kept is not a CRL that this root signed; and the errors of
 * authority_load(), crl_build() and of files.
 */
CHECKED enum err hierarchy_crl_make(const char *dir, const char *certificate,
	enum revoked_reason reason, int64_t days, const char *path, struct hierarchy_crl *out);
