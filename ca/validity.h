/* validity.h - from when until when a new certificate is valid, and when the next is due.
 * RFC 5280 4.1.2.5. */
#pragma once

#include "ca/base/err.h"

#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Sets both ends, seconds since 1970: UTCTime until 2049, GeneralizedTime after. ERR_INTERNAL
 * "crypto", also for a time beyond CLOCK_LAST.
 */
CHECKED enum err validity_set(X509 *cert, int64_t not_before, int64_t not_after);

/* Is it time for the next one: is a third of its life left at `now`, or less, or nothing? */
bool validity_is_due(int64_t not_before, int64_t not_after, int64_t now);
