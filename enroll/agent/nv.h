/* nv.h - reading NV indices of the TPM. */
#pragma once

#include "enroll/agent/tpm.h"

/*
 * Appends the content of an index, read by the index's own, empty authorisation in pieces of at
 * most 1024 bytes. ERR_NOT_FOUND "tpm-ek" when there is no such index, or nothing in it;
 * ERR_INTERNAL "tpm".
 */
CHECKED enum err nv_read(struct tpm *tpm, TPM2_HANDLE index, struct buf *out);

/* The indices defined from `first` to `last`, ascending, at most `room` of them. ERR_INTERNAL
 * "tpm". */
CHECKED enum err nv_list(struct tpm *tpm, TPM2_HANDLE first, TPM2_HANDLE last, TPM2_HANDLE *out,
	size_t room, size_t *n);
