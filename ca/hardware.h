/* hardware.h - the hardware module name (RFC 4108 5), a name of a subject alternative name. */
#pragma once

#include "ca/base/err.h"

#include <openssl/x509v3.h>
#include <stdbool.h>

/*
 * Makes `out`, which is new, an otherName 1.3.6.1.5.5.7.8.4 of this hardware type, a dotted OID,
 * and serial number, whose bytes are the text's. ERR_INTERNAL "out-of-memory"; `out` is then of no
 * use but to be freed.
 */
CHECKED enum err hardware_set(GENERAL_NAME *out, const char *type, const char *serial);

/* Is the name of that type and serial number, byte by byte? */
bool hardware_says(const GENERAL_NAME *name, const char *type, const char *serial);
