/* sshkey.h - public keys as OpenSSH has them (RFC 4253 6.6, RFC 5656 3.1, RFC 8709). */
#pragma once

#include "ca/base/buf.h"
#include "ca/grant.h"

#include <openssl/evp.h>

#define SSHKEY_MAX 2048 /* bytes of a public key blob */

/*
 * Reads a public key blob, which it fills whole: ssh-rsa of 2048 to 4096 bits, ecdsa-sha2-nistp256, -384, -521, ssh-ed25519.
 * The bytes go to `bits`, which `out` points into. ERR_MALFORMED "ssh-key".
 */
CHECKED enum err sshkey_parse(struct view blob, struct buf *bits, struct grant_key *out);

/* The reverse: appends the blob of a key as grants carry it. ERR_REJECTED "ssh-key". */
CHECKED enum err sshkey_blob(const struct grant_key *key, struct buf *blob);
CHECKED enum err sshkey_blob_of(EVP_PKEY *key, struct buf *blob);

/* One line of a .pub file: "TYPE BASE64 [comment]"; appends the blob. ERR_MALFORMED "ssh-key". */
CHECKED enum err sshkey_line(struct view text, struct buf *blob);

/* Appends "TYPE BASE64", without a newline. ERR_MALFORMED "ssh-key". */
CHECKED enum err sshkey_text(struct view blob, struct buf *text);

/* Appends "SHA256:...", as ssh-keygen -l has it. */
CHECKED enum err sshkey_fingerprint(struct view blob, struct buf *text);
