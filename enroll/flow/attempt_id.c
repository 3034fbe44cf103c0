#include "enroll/flow/attempt_id.h"

#include "ca/base/encode.h"
#include "enroll/proto/pending.h"

enum err attempt_id_read(const char *text, uint8_t out[static ATTEMPT_ID_SIZE])
{
	if (hex_read(view_str(text), out, ATTEMPT_ID_SIZE) != OK)
		return refuse(ERR_MALFORMED, "attempt-id", "PROTOCOL admin",
			"\"%.64s\" is no attempt: wanted its %d hexadecimal digits", text,
			LIMIT_ATTEMPT_ID);
	return OK;
}
