/* hostname.h - the names that hosts may have here. */
#pragma once

#include "ca/base/err.h"

#include <stdbool.h>

#define HOSTNAME_MAX 253

/* Lower-case labels as hostname_check() wants them, one or more: "localhost" too. */
bool is_dns_name(const char *name);

/*
 * Lower-case RFC 1123 2.1 names of at least two labels, each 1 to 63 letters, digits and inner
 * hyphens; the last label is not all digits (so no address), no trailing dot, no wildcard.
 * ERR_MALFORMED "host-name" with what is wrong.
 */
CHECKED enum err hostname_check(const char *name);
