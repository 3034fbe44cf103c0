/* identifier.h - the permanent identifier (RFC 4043), a name of a subject alternative name. */
#pragma once

#include "ca/base/err.h"

#include <openssl/x509v3.h>
#include <stdbool.h>

/*
 * Makes `out`, which is new, an otherName 1.3.6.1.5.5.7.8.3 with this value and no assigner
 * (RFC 4043 2). ERR_INTERNAL "out-of-memory"; `out` is then of no use but to be freed.
 */
CHECKED enum err identifier_set(GENERAL_NAME *out, const char *value);

/* Is the name of that kind, whatever its value is? */
bool is_identifier(const GENERAL_NAME *name);

/* Is it that value, byte by byte? Not when it cannot be read, or has none. An assigner is not looked at. */
bool identifier_says(const GENERAL_NAME *name, const char *value);
