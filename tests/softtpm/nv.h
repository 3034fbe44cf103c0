/* nv.h - what manufacturers leave in NV indices. */
#pragma once

#include "tests/softtpm/area.h"

#define SOFT_NV_INDICES 16
#define SOFT_NV_CHAIN 0x01c00100 /* EK Credential Profile 2.x, 2.2.1.5.1 */

/* Zeroes are an empty one. */
struct soft_nv {
	struct {
		TPM2_HANDLE index;
		struct buf content;
	} indices[SOFT_NV_INDICES];
	size_t n;
};
void soft_nv_free(struct soft_nv *nv);

/* Defines and writes an index, anew where it exists; false when there is no place. */
bool soft_nv_write(struct soft_nv *nv, TPM2_HANDLE index, struct view content);
/* Lives until the index is written again; false when there is no such index. */
bool soft_nv_read(const struct soft_nv *nv, TPM2_HANDLE index, struct view *out);

/* How a certificate lies in its index. */
enum soft_padding {
	SOFT_EXACT,
	SOFT_PADDED_FF, /* 64 bytes of it behind */
	SOFT_PADDED_00,
	SOFT_PADDED_11,
	SOFT_HEADER, /* with the 7 bytes of TPM 1.2 before it */
};
/* Writes an EK certificate to the index of its template. */
bool soft_nv_certificate(
	struct soft_nv *nv, enum soft_ek ek, struct view der, enum soft_padding padding);

/* Writes the intermediates, joined, to indices of at most `size` bytes from SOFT_NV_CHAIN on. */
bool soft_nv_chain(struct soft_nv *nv, const struct view *ders, size_t n, size_t size);
