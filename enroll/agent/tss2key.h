/* tss2key.h - a key file of the kind "TSS2 PRIVATE KEY": a TPM key wrapped for its parent.
 * ASN.1 Specification for TPM 2.0 Key Files, type 2.23.133.10.1.3 (loadable key), as
 * tpm2-openssl, tpm2-tss-engine and openssl_tpm2_engine read it. */
#pragma once

#include "ca/base/buf.h"

#define TSS2KEY_PARENT_OWNER 0x40000001 /* TPM_RH_OWNER: the default storage primary */
#define TSS2KEY_MAX (8 * 1024)
#define TSS2KEY_PART_MAX 2048

/* Appends the PEM text of a key with empty authorisation under TSS2KEY_PARENT_OWNER. */
CHECKED enum err tss2key_encode(struct view public, struct view private, struct buf *pem);

/*
 * Reads what tss2key_encode() writes, appending TPM2B_PUBLIC and TPM2B_PRIVATE. ERR_INTERNAL
 * "key-file" for anything else: another type or parent, a password, a policy, trailing bytes.
 */
CHECKED enum err tss2key_parse(struct view pem, struct buf *public, struct buf *private);
