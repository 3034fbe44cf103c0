/* validity.h - from when until when. RFC 5280 4.1.2.5. */
#pragma once

#include "ca/base/err.h"

#include <openssl/x509.h>
#include <stdint.h>

/*
 * Sets both ends, seconds since 1970: UTCTime until 2049, GeneralizedTime after. ERR_INTERNAL
 * "crypto", also for a time beyond CLOCK_LAST.
 */
CHECKED enum err validity_set(X509 *cert, int64_t not_before, int64_t not_after);

/* When a certificate begins and ends, seconds since 1970. ERR_INTERNAL "ca-certificate". */
CHECKED enum err validity_begin(const X509 *cert, int64_t *out);
CHECKED enum err validity_end(const X509 *cert, int64_t *out);
