/* akfind.h - which AK this machine proves: the one at a handle, the one in a file, or a new one. */
#pragma once

#include "enroll/agent/ak.h"
#include "enroll/agent/state.h"

/* What is asked for; zeroes: an AK that is already there, whatever it is. */
struct ak_wish {
	const struct ak_recipe *recipe; /* NULL: any; a new one then is of the kind before */
	bool has_hierarchy; /* false: the same of the hierarchy */
	enum ak_hierarchy hierarchy;
	TPM2_HANDLE handle; /* 0: that of the last enrollment, if it had one */
};

struct ak_found {
	struct device_ak *ak;
	bool is_new; /* made now */
	TPM2_HANDLE persist_at; /* where it has yet to be made persistent; 0: nowhere */
};

/*
 * Finds or makes the AK for `service`; `before` is the last enrollment, zero when there was none.
 * `state` may be NULL: then there are no files to look in, only a handle.
 * Keys that will not do are told of on standard error. Nothing is made persistent or written.
 * `out->ak` is the caller's. ERR_CONFLICT "tpm-key" for a handle with a key that cannot be used;
 * errors of device_ak_create() and device_ak_load().
 */
CHECKED enum err ak_find(struct tpm *tpm, const struct ak_wish *wish, const char *service,
	struct state *state, const struct enrollment *before, const struct device_ek *ek,
	struct ak_found *out);

/* Reads a handle from AK_HANDLE_FIRST to AK_HANDLE_LAST: "0x81010002". */
bool ak_handle_read(const char *text, TPM2_HANDLE *out);
