/* ids.h - how the body of an admin's request names a device, an EK or a certificate. */
#pragma once

#include "db/host.h"

#include <stddef.h>

/* Their hexadecimal digits of either case, all of them. ERR_MALFORMED "device-id"; "ek-digest". */
CHECKED enum err device_id_read(const char *text, uint8_t out[static DEVICE_ID_SIZE]);
CHECKED enum err ek_digest_read(const char *text, uint8_t out[static DIGEST_SIZE]);

/* Two hexadecimal digits for each of its bytes, which are 1 to SERIAL_MAX, to `n`. ERR_MALFORMED "serial". */
CHECKED enum err serial_read(const char *text, uint8_t out[static SERIAL_MAX], size_t *n);
