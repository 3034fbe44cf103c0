/* ak.h - the attestation key that this machine's TPM holds for one service. */
#pragma once

#include "enroll/agent/parent.h"
#include "enroll/agent/recipe.h"

/* Where an owner may make a key persistent (TPM 2.0 Part 2, 7.4; Part 3, 28.5). */
#define AK_HANDLE_FIRST 0x81000000
#define AK_HANDLE_LAST 0x817fffff

/*
 * Its public area was judged, so what a service would refuse never leaves this machine. It is
 * wrapped for its parent, or persistent in the TPM, or both.
 */
struct device_ak {
	struct buf public; /* TPM2B_PUBLIC */
	struct buf private; /* TPM2B_PRIVATE: of use to this TPM only; empty: not ours to load */
	TPM2_HANDLE parent; /* as parent.h names it; 0 without a private part */
	TPM2_HANDLE handle; /* where it is persistent; 0: nowhere */
	struct ak *judged;
};
void device_ak_free(struct device_ak **ak);

/*
 * TPM2_Create below `hierarchy`: a restricted signing key after `recipe`, its authPolicy the tag of
 * `service`. `*out` is the caller's. ERR_INTERNAL "tpm", "tpm-auth", "tpm-key".
 */
CHECKED enum err device_ak_create(struct tpm *tpm, const struct ak_recipe *recipe,
	enum ak_hierarchy hierarchy, const struct device_ek *ek, const char *service,
	struct device_ak **out);

/*
 * Reads a key file. `*out` is the caller's; untouched on failure. ERR_NOT_FOUND "file-missing";
 * ERR_INTERNAL "key-file"; ERR_REJECTED with the reason of ak_judge(), as for another service.
 */
CHECKED enum err device_ak_read(const char *path, const char *service, struct device_ak **out);
/* Writes the key file; for an AK without a private part, ERR_INTERNAL "key-file". */
CHECKED enum err device_ak_write(const struct device_ak *ak, const char *path);
/* Appends what device_ak_write() writes. */
CHECKED enum err device_ak_encode(const struct device_ak *ak, struct buf *pem);

/*
 * The key that is persistent at `handle`, be it an AK with the service's tag or one without any.
 * ERR_NOT_FOUND "tpm-key" when none is there; ERR_REJECTED with the reason of ak_judge();
 * ERR_INTERNAL "tpm".
 */
CHECKED enum err device_ak_at(
	struct tpm *tpm, TPM2_HANDLE handle, const char *service, struct device_ak **out);

/* The same from its bare TPM2B_PUBLIC, as state directories keep it; the TPM is not asked. */
CHECKED enum err device_ak_public(
	struct view public, TPM2_HANDLE handle, const char *service, struct device_ak **out);

/*
 * Brings the key: TPM2_Load below its parent, which is flushed again, or the persistent key.
 * ERR_REJECTED "tpm-key" when this TPM says that the key is none of its own, or has another one at
 * the handle; ERR_INTERNAL "tpm", "tpm-auth". `ek` may be NULL where the parent is not the EK.
 */
CHECKED enum err device_ak_load(struct tpm *tpm, const struct device_ak *ak,
	const struct device_ek *ek, struct loaded *out);

/*
 * TPM2_EvictControl: makes the key persistent at `handle`, by the owner's authority. Nothing is
 * evicted: ERR_CONFLICT "tpm-key" when another key is there. ERR_INTERNAL "tpm", "tpm-auth".
 */
CHECKED enum err device_ak_persist(
	struct tpm *tpm, struct device_ak *ak, const struct device_ek *ek, TPM2_HANDLE handle);

/* "owner", "endorsement", "ek"; "handle" for one that is known by its handle alone. */
const char *device_ak_place(const struct device_ak *ak);
/* Its parent is the EK, and it is not persistent: device_ak_load() wants that EK. */
bool device_ak_needs_ek(const struct device_ak *ak);
