/* revoked.h - a certificate that was taken back: which, when and why. RFC 5280 5.3. */
#pragma once

#include "ca/base/mem.h"

/* By the numbers of RFC 5280 5.3.1; removeFromCRL and aACompromise are nobody's to give. */
enum revoked_reason {
	REVOKED_UNSPECIFIED = 0,
	REVOKED_KEY_COMPROMISE = 1,
	REVOKED_CA_COMPROMISE = 2,
	REVOKED_AFFILIATION_CHANGED = 3,
	REVOKED_SUPERSEDED = 4,
	REVOKED_CESSATION_OF_OPERATION = 5,
	REVOKED_CERTIFICATE_HOLD = 6,
	REVOKED_PRIVILEGE_WITHDRAWN = 9
};

/* By its name there, "keyCompromise", which records and messages have too; false for another word. */
bool revoked_reason_read(const char *name, enum revoked_reason *out);

#define REVOKED_SERIAL_MAX 20 /* RFC 5280 4.1.2.2 */

struct revoked {
	uint8_t serial[REVOKED_SERIAL_MAX]; /* big-endian, as certificates have it */
	size_t serial_n;
	int64_t at; /* seconds since 1970 */
	enum revoked_reason reason;
};
