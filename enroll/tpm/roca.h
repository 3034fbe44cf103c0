/* roca.h - RSA keys that can be factored from their public half (CVE-2017-15361, "ROCA"). */
#pragma once

#include "enroll/tpm/numbers.h"

/* Does the modulus have the fingerprint? Never for a key that is not RSA. */
bool is_roca(EVP_PKEY *key);
bool numbers_are_roca(const struct key_numbers *numbers);
