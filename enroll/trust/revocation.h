/* revocation.h - a verified path against the CRLs of its set (RFC 5280 6.3). */
#pragma once

#include "enroll/trust/path.h"

/*
 * Looks every certificate below the root up in each CRL that its issuer signed, and in the indirect ones whose
 * issuer has a chain to the same root. That there is no CRL is fine, and one past its nextUpdate still revokes:
 * then `old` gets a line for people ("" otherwise). Of one issuer and one scope the newest CRL counts.
 * ERR_REJECTED "ek-revoked"; "ek-chain" when a CRL speaks of it that nobody here can verify.
 */
CHECKED enum err revocation_check(const struct trust *trust, const STACK_OF(X509) *sent,
	const struct path *path, bool is_whole, int64_t now, struct buf *old);
