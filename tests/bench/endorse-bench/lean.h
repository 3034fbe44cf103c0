/* lean.h - a libcrypto with little in it: for what clients do with a server's certificate. */
#pragma once

#include "ca/base/err.h"

#include <openssl/crypto.h>

/*
 * A library context whose provider gives all that OpenSSL's own does but for the decoders and kinds
 * of keys that no server here has: it knows RSA and elliptic curves. OpenSSL 3.0 tries every
 * decoder there is upon each key of each certificate; with all of them, reading the chain of a
 * server takes longer than the handshake that it comes with. Made once for all threads. ERR_INTERNAL "crypto".
 */
CHECKED enum err lean_libctx(OSSL_LIB_CTX **out);
