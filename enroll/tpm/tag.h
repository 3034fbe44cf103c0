/* tag.h - what makes an AK one for a single service (PROTOCOL.md, "The tag"). */
#pragma once

#include "ca/base/err.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The authPolicy of a native AK, which nobody can satisfy: H("endorse/1 ak" 00 | service), H the
 * AK's nameAlg as a TPM_ALG_ID (000b, 000c or 000d). `*n` is 32, 48 or 64. ERR_REJECTED
 * "ak-name-algorithm" for any other algorithm.
 */
CHECKED enum err service_tag(
	uint16_t name_alg, const char *service, uint8_t tag[static 64], size_t *n);
