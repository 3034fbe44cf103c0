/* tpm.h - a connection to the TPM, and what is loaded there while somebody needs it. */
#pragma once

#include "ca/base/buf.h"
#include "enroll/agent/access.h"

#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>

struct tpm;

/*
 * Connects, and hands the auth values of the hierarchies to the TSS. `*out` is the caller's, for
 * tpm_close(), which wipes them. ERR_INTERNAL "tpm"; those of auth_read().
 */
CHECKED enum err tpm_open(const struct tpm_access *access, struct tpm **out);
void tpm_close(struct tpm **tpm);
ESYS_CONTEXT *tpm_esys(struct tpm *tpm);

/* For AUTO on what ESYS allocated. Leaves NULL behind. */
void esys_free(void *address_of_pointer);

/* OK, or ERR_INTERNAL "tpm" with a sentence for the response code of `command`. */
CHECKED enum err tpm_ok(TSS2_RC rc, const char *command);

/*
 * The same for a command that `hierarchy` (ESYS_TR_RH_OWNER or _ENDORSEMENT) authorises: a refused
 * auth value and a disabled hierarchy are told by name. ERR_INTERNAL "tpm", "tpm-auth".
 */
CHECKED enum err tpm_hierarchy_ok(
	const struct tpm *tpm, TSS2_RC rc, ESYS_TR hierarchy, const char *command);

/* The TPM answered that what it was given is wrong (a format-one code), not that it cannot now. */
bool tpm_is_verdict(TSS2_RC rc);
/* No object or NV index has this handle. */
bool tpm_is_absent(TSS2_RC rc);

/* Waits a moment and is true when the command should be sent again: TPM_RC_RETRY and its kin. */
bool tpm_again(TSS2_RC rc, unsigned *tries);
#define TPM_PATIENT(call)                                                                          \
	({                                                                                         \
		unsigned tries_ = 0;                                                               \
		TSS2_RC rc_;                                                                       \
		do                                                                                 \
			rc_ = (call);                                                              \
		while (tpm_again(rc_, &tries_));                                                   \
		rc_;                                                                               \
	})

/*
 * An object or session that this process put into the TPM, or a persistent one that it looks at.
 * `AUTO(loaded_flush) struct loaded key = LOADED(tpm);` flushes what is transient.
 */
struct loaded {
	struct tpm *tpm;
	ESYS_TR tr;
};
#define LOADED(connection) ((struct loaded){.tpm = (connection), .tr = ESYS_TR_NONE})
void loaded_flush(struct loaded *loaded);

/* TPM2_CreatePrimary in `hierarchy`; the key's own auth is empty. Errors of tpm_hierarchy_ok(). */
CHECKED enum err tpm_primary_create(
	struct tpm *tpm, ESYS_TR hierarchy, const TPM2B_PUBLIC *template, struct loaded *out);

/* Do `bytes` hold one structure of this type of tss2-mu and nothing after it? `*out` gets it. */
#define TPM_READ(type, bytes, out)                                                                 \
	({                                                                                         \
		struct view bytes_ = (bytes);                                                      \
		size_t used_ = 0;                                                                  \
		TSS2_RC rc_;                                                                       \
		*(out) = (type){0};                                                                \
		rc_ = Tss2_MU_##type##_Unmarshal(bytes_.p, bytes_.n, &used_, (out));               \
		(bool)(rc_ == TSS2_RC_SUCCESS && used_ == bytes_.n);                               \
	})

/* Appends the TPM2B_PUBLIC. ERR_INTERNAL "tpm". */
CHECKED enum err tpm_public_write(const TPM2B_PUBLIC *public, struct buf *out);
/* Appends the TPMT_SIGNATURE. ERR_INTERNAL "tpm". */
CHECKED enum err tpm_signature_write(const TPMT_SIGNATURE *signature, struct buf *out);
