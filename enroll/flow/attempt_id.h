/* attempt_id.h - how an admin names an attempt that is held. */
#pragma once

#include "db/pending.h"

/* Its hexadecimal digits, all of them. ERR_MALFORMED "attempt-id". */
CHECKED enum err attempt_id_read(const char *text, uint8_t out[static ATTEMPT_ID_SIZE]);
