/* verified.h - what those who rely on a certificate make of it: OpenSSL and GnuTLS. */
#pragma once

#include "tests/flow/world.h"

/*
 * Do both take the PEM file `leaf` with the one certificate of `issuing` between it and the world's
 * root, under strict checks and for any purpose? What they object to is on standard error.
 */
bool is_verified(const struct world *world, const char *leaf, const char *issuing);
