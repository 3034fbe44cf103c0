#include "enroll/flow/ids.h"

#include "ca/base/encode.h"

#include <string.h>

enum err device_id_read(const char *text, uint8_t out[static DEVICE_ID_SIZE])
{
	if (hex_read(view_str(text), out, DEVICE_ID_SIZE) != OK)
		return refuse(ERR_MALFORMED, "device-id", "PROTOCOL admin",
			"\"%.40s\" is no device: wanted its %d hexadecimal digits", text,
			2 * DEVICE_ID_SIZE);
	return OK;
}

enum err ek_digest_read(const char *text, uint8_t out[static DIGEST_SIZE])
{
	if (hex_read(view_str(text), out, DIGEST_SIZE) != OK)
		return refuse(ERR_MALFORMED, "ek-digest", "PROTOCOL admin",
			"\"%.70s\" is no digest of an EK: wanted the SHA-256 of its "
			"SubjectPublicKeyInfo, %d hexadecimal digits",
			text, 2 * DIGEST_SIZE);
	return OK;
}

enum err serial_read(const char *text, uint8_t out[static SERIAL_MAX], size_t *n)
{
	size_t size = strlen(text) / 2;

	if (size == 0 || size > SERIAL_MAX || hex_read(view_str(text), out, size) != OK)
		return refuse(ERR_MALFORMED, "serial", "PROTOCOL admin",
			"\"%.44s\" is no serial number: wanted two hexadecimal digits for each of "
			"its bytes, which are %d at most",
			text, SERIAL_MAX);
	*n = size;
	return OK;
}
