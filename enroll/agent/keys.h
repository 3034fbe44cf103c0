/* keys.h - the keys that certificates are wanted for, brought: from the TPM, out of a file, or the
 * AK itself. */
#pragma once

#include "enroll/agent/state.h"
#include "enroll/agent/tpmkey.h"
#include "enroll/agent/wanted.h"
#include "enroll/proto/message.h"

struct brought {
	const struct want *want; /* borrowed */
	struct tpmkey *tpm; /* of WANT_TPM */
	bool is_new; /* made now: no certificate was asked for it before */
	EVP_PKEY *pkey; /* the AK's, that of `tpm`, or `owned`; NULL: only `ssh` is known */
	EVP_PKEY *owned; /* of a PEM file */
	struct buf ssh; /* the blob of the public key; empty for a kind that OpenSSH has not */
};

struct keys {
	const struct wanted *wanted; /* borrowed; NULL before keys_find() */
	struct brought items[LIMIT_KEYS];
	size_t n;
};
void keys_free(struct keys *keys); /* `AUTO(keys_free) struct keys keys = {0};` */

/*
 * Brings a key for everything that is wanted, in that order. A key of the TPM is the one that is
 * kept, or with `makes_new`, or when it is of another kind or of another TPM, a new one; files that
 * will not do are told of on standard error. `wanted` and `ak` are borrowed; `state` may be NULL,
 * then nothing is kept. Nothing is written. ERR_INTERNAL "key-file", "tpm", "tpm-auth".
 */
CHECKED enum err keys_find(struct tpm *tpm, const struct wanted *wanted, const struct device_ak *ak,
	struct state *state, bool makes_new, struct keys *out);

/* The same where the TPM need not be asked: only what is kept. ERR_NOT_FOUND "file-missing". */
CHECKED enum err keys_read(const struct want *want, const struct device_ak *ak, struct state *state,
	struct brought *out);
void brought_free(struct brought *brought);

/*
 * Writes new keys where the next run looks for them: should this one end before its answer is
 * installed, the next asks for the same keys and gets the same certificates. ERR_INTERNAL
 * "file-write".
 */
CHECKED enum err keys_keep_new(const struct keys *keys, struct state *state);
void keys_forget_new(const struct keys *keys, struct state *state);

/*
 * Fills request->keys; the AK certifies those of the TPM with the digest that `ticket` makes of it
 * (PROTOCOL.md, "Certified keys"). Errors of tpmkey_certify().
 */
CHECKED enum err keys_request(const struct keys *keys, struct tpm *tpm, const struct device_ak *ak,
	const struct device_ek *ek, struct view ticket, struct request *out);

/* Is the certificate for this key? */
bool brought_is(const struct brought *brought, EVP_PKEY *key);
