/* sshkey.h - public keys as OpenSSH has them (RFC 4253 6.6, RFC 5656 3.1, RFC 8709). */
#pragma once

#include "ca/base/buf.h"
#include "ca/grant.h"

#include <openssl/evp.h>

#define SSHKEY_MAX 2048 /* bytes of a public key blob */

/*
 * Reads a public key blob, which it fills whole:
 *
 *   ssh-rsa                               2048 to 4096 bits, odd exponent of 17 to 256 bits
 *   ecdsa-sha2-nistp256, -384, -521       an uncompressed point of its curve
 *   ssh-ed25519                           a point of the curve that is of no small order
 *
 * and no other: no key on a token (sk-), no DSA, no certificate. The bytes go to `bits`, which `out`
 * points into. ERR_MALFORMED "ssh-key".
 */
CHECKED enum err sshkey_parse(struct view blob, struct buf *bits, struct grant_key *out);

/*
 * The reverse: appends the blob of a key as grants carry it, whose point somebody has judged already,
 * as for every other certificate. ERR_MALFORMED "ssh-key" for a kind or a size that OpenSSH does not
 * have, and something may be appended.
 */
CHECKED enum err sshkey_blob(const struct grant_key *key, struct buf *blob);
/* The same of a key of OpenSSL's. ERR_REJECTED "key-kind" as key_public(). */
CHECKED enum err sshkey_blob_of(EVP_PKEY *key, struct buf *blob);

/* The key of a blob for OpenSSL, to verify with. `*out` is the caller's. As sshkey_parse(). */
CHECKED enum err sshkey_public(struct view blob, EVP_PKEY **out);

/*
 * One line of a .pub file: "TYPE BASE64 [comment]" with or without its newline; appends the blob,
 * which sshkey_parse() takes. ERR_MALFORMED "ssh-key".
 */
CHECKED enum err sshkey_line(struct view text, struct buf *blob);

/*
 * Appends "TYPE BASE64", without a newline; of a certificate as well, for only the type is read.
 * ERR_MALFORMED "ssh-key".
 */
CHECKED enum err sshkey_text(struct view blob, struct buf *text);

/* Appends "SHA256:...", as ssh-keygen -l has it. */
CHECKED enum err sshkey_fingerprint(struct view blob, struct buf *text);
