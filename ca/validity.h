/* validity.h - from when until when. RFC 5280 4.1.2.5. */
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

/* One end of what cert_validity() reads. */
CHECKED enum err validity_begin(const X509 *cert, int64_t *out);
CHECKED enum err validity_end(const X509 *cert, int64_t *out);

/* Is it time for the next one: is a third of its life left at `now`, or less, or nothing? */
bool validity_is_due(int64_t not_before, int64_t not_after, int64_t now);

/*
 * What is left of a certificate's life at `now`: seconds until it ends, negative once it has, and
 * whether it is time for the next one. ERR_INTERNAL "certificate-dates".
 */
CHECKED enum err validity_left(const X509 *cert, int64_t now, int64_t *seconds, bool *is_due);
