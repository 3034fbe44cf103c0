/* tss2key.h - a key file of the kind "TSS2 PRIVATE KEY": a TPM key wrapped for its parent.
 * ASN.1 Specification for TPM 2.0 Key Files, type 2.23.133.10.1.3 (loadable key), as
 * tpm2-openssl, tpm2-tss-engine and openssl_tpm2_engine read it. */
#pragma once

#include "ca/base/buf.h"

#define TSS2KEY_MAX (8 * 1024)
#define TSS2KEY_PART_MAX 2048

/*
 * Such a key, which has no auth value. `parent` is the handle of the key it is wrapped for, as
 * parent.h says.
 */
struct tss2key {
	uint32_t parent;
	struct buf *public, *private; /* TPM2B_PUBLIC, TPM2B_PRIVATE */
};

/* Appends the PEM text. ERR_INTERNAL "key-file" for parts longer than TSS2KEY_PART_MAX. */
CHECKED enum err tss2key_encode(const struct tss2key *key, struct buf *pem);

/*
 * Reads what tss2key_encode() writes, appending to `key->public` and `key->private`. ERR_INTERNAL
 * "key-file" for anything else: another type, a password, a policy, trailing bytes.
 */
CHECKED enum err tss2key_parse(struct view pem, struct tss2key *key);
