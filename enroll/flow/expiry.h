/* expiry.h - when each certificate that the service stands on ends. */
#pragma once

#include "enroll/flow/service.h"

enum expiry_role {
	EXPIRY_CA, /* issues; its OpenSSH CAs never end */
	EXPIRY_CA_ABOVE, /* above it in its file */
	EXPIRY_FORMER_CA, /* issued once */
	EXPIRY_ADMIN_CA, /* lets operators in */
	EXPIRY_ROOT, /* ends chains of EK certificates */
};
extern const char *const
	expiry_role_words[]; /* "ca", "ca-above", "former-ca", "admin-ca", "vendor-root", NULL */

struct expiry {
	enum expiry_role role;
	char subject[256]; /* RFC 2253, printable */
	uint8_t sha256[SHA256_SIZE]; /* of the DER */
	int64_t until; /* seconds since 1970 */
};

/* Is this the id of a CA that the service has? What servers recorded may be of one that is gone. */
bool expiry_is_of_ours(const struct service *service, const uint8_t issuer[static SHA256_SIZE]);

/* Calls `each` for every one of them. One whose dates cannot be read is left out. */
void expiry_each(const struct service *service,
	void (*each)(void *ctx, const struct expiry *expiry), void *ctx);
