/* tpmkey.h - a signing key for everyday use, TLS or OpenSSH, that never leaves this machine's TPM. */
#pragma once

#include "enroll/agent/ak.h"

#define TPMKEY_KINDS "p256, p384 or rsa2048"

/* It is not restricted, so that it signs whatever software asks for; it does not decrypt. */
struct tpmkey {
	struct buf public; /* TPM2B_PUBLIC */
	struct buf private; /* TPM2B_PRIVATE: of use to this TPM only */
	EVP_PKEY *pkey; /* the public half */
};
void tpmkey_free(struct tpmkey **key);

/* Reads one of TPMKEY_KINDS; false for another word. */
bool tpmkey_kind_read(const char *text, enum key_kind *out);
/* The kind's word; "another kind" for a key that tpmkey_make() does not make. */
const char *tpmkey_kind_text(const struct tpmkey *key);

/*
 * TPM2_Create below the storage primary of the owner's hierarchy, wherever the AK is: below others,
 * tpm2-openssl 1.1 does not find it. The key's auth is empty, its scheme TPM2_ALG_NULL, its
 * authPolicy empty. `*out` is the caller's. ERR_INTERNAL "tpm", "tpm-auth".
 */
CHECKED enum err tpmkey_make(struct tpm *tpm, enum key_kind kind, struct tpmkey **out);

/*
 * Reads and writes the key file, "TSS2 PRIVATE KEY" (tss2key.h), with mode 0600. `*out` is the
 * caller's; untouched on failure. ERR_NOT_FOUND "file-missing"; ERR_INTERNAL "key-file";
 * ERR_REJECTED "tpm-key" for one that is no signing key of ours.
 */
CHECKED enum err tpmkey_read(const char *path, struct tpmkey **out);
CHECKED enum err tpmkey_write(const struct tpmkey *key, const char *path);
/* Appends what tpmkey_write() writes. */
CHECKED enum err tpmkey_encode(const struct tpmkey *key, struct buf *pem);

/* TPM2_Load. ERR_REJECTED "tpm-key" when the key is not of this TPM; ERR_INTERNAL "tpm", "tpm-auth". */
CHECKED enum err tpmkey_load(struct tpm *tpm, const struct tpmkey *key, struct loaded *out);

/* What the AK says of the key (TPM 2.0 Part 3, 18.2, TPM2_Certify). */
struct tpmkey_statement {
	struct buf attest; /* TPM2B_ATTEST */
	struct buf signature; /* TPMT_SIGNATURE */
};
void tpmkey_statement_init(struct tpmkey_statement *statement);
void tpmkey_statement_free(struct tpmkey_statement *statement);

/*
 * Loads both keys, at most three objects at a time, has the AK certify the key with `qualifying`
 * (at most 64 bytes) as qualifying data, and flushes them again. `ek` as in device_ak_load().
 * Errors of device_ak_load() and tpmkey_load(); ERR_INTERNAL "tpm".
 */
CHECKED enum err tpmkey_certify(struct tpm *tpm, const struct tpmkey *key,
	const struct device_ak *ak, const struct device_ek *ek, struct view qualifying,
	struct tpmkey_statement *out);
