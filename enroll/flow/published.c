#include "enroll/flow/published.h"

#include "ca/base/encode.h"
#include "db/published.h"

#include <string.h>

/* One certificate has one address: hex_read() takes capitals too. */
static bool is_digest(const char *hex)
{
	return strlen(hex) == 2 * SHA256_SIZE && strspn(hex, "0123456789abcdef") == 2 * SHA256_SIZE;
}

enum err published_certificate(const struct service *service, const char *hex, struct buf *der)
{
	uint8_t sha256[SHA256_SIZE];

	if (!is_digest(hex) || hex_read(view_str(hex), sha256, sizeof(sha256)) != OK)
		return refuse(ERR_NOT_FOUND, "certificate-unknown", "PROTOCOL certificates",
			"a certificate is asked for by the SHA-256 of its DER, 64 lower-case "
			"hexadecimal digits");
	return certificate_published(service->db, sha256, der);
}
