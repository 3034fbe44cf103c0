/* published.h - certificates for relying parties, by the SHA-256 of their DER. */
#pragma once

#include "enroll/flow/service.h"

/*
 * GET /v1/certificates/HEX: appends the DER. `hex` is 64 lower-case hexadecimal digits. What was
 * revoked is found all the same: this says what a certificate is, and never that it is good.
 * ERR_NOT_FOUND "certificate-unknown", also for what is no digest.
 */
CHECKED enum err published_certificate(
	const struct service *service, const char *hex, struct buf *der);
