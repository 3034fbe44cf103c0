/* ak.h - the attestation key that this machine's TPM holds for one service. */
#pragma once

#include "enroll/agent/tpm.h"
#include "enroll/tpm/ak.h"

/*
 * A child of the owner hierarchy's storage primary, wrapped for it; the public area was judged for
 * its service, so what a service would refuse never leaves this machine.
 */
struct device_ak {
	struct buf public; /* TPM2B_PUBLIC */
	struct buf private; /* TPM2B_PRIVATE: of use to this TPM only */
	struct ak *judged;
};
void device_ak_free(struct device_ak **ak);

/*
 * TPM2_Create: KEY_P256 with ECDSA, or KEY_RSA_2048 with RSASSA, both with SHA-256, restricted,
 * signing, its authPolicy the tag of `service`. `*out` is the caller's. ERR_INTERNAL "tpm",
 * "tpm-key".
 */
CHECKED enum err device_ak_create(
	struct tpm *tpm, enum key_kind kind, const char *service, struct device_ak **out);

/*
 * Reads a key file. `*out` is the caller's; untouched on failure. ERR_NOT_FOUND "file-missing";
 * ERR_INTERNAL "key-file"; ERR_REJECTED with the reason of ak_judge(), as for another service.
 */
CHECKED enum err device_ak_read(const char *path, const char *service, struct device_ak **out);
CHECKED enum err device_ak_write(const struct device_ak *ak, const char *path);

/*
 * TPM2_Load under the storage primary, which is flushed again. ERR_REJECTED "tpm-key" when this TPM
 * says that the key is none of its own; ERR_INTERNAL "tpm".
 */
CHECKED enum err device_ak_load(struct tpm *tpm, const struct device_ak *ak, struct loaded *out);
