/* decided.h - how an attempt is named; for decide.c and trust_ca.c only. */
#pragma once

#include "db/pending.h"

/* ERR_MALFORMED "attempt-id". */
CHECKED enum err attempt_id_read(const char *text, uint8_t out[static ATTEMPT_ID_SIZE]);
