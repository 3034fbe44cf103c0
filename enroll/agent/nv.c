#include "enroll/agent/nv.h"

#define PIECE 1024

/* Some TPMs read less than 1024 bytes at once (TPM 2.0 Part 2, 6.13, TPM_PT_NV_BUFFER_MAX). */
static uint16_t piece_size(struct tpm *tpm)
{
	AUTO(esys_free) TPMS_CAPABILITY_DATA *data = NULL;
	const TPMS_TAGGED_PROPERTY *property;

	if (TPM_PATIENT(Esys_GetCapability(tpm_esys(tpm), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
		    TPM2_CAP_TPM_PROPERTIES, TPM2_PT_NV_BUFFER_MAX, 1, NULL, &data)) !=
			TSS2_RC_SUCCESS ||
		data->data.tpmProperties.count != 1)
		return PIECE;
	property = &data->data.tpmProperties.tpmProperty[0];
	if (property->property != TPM2_PT_NV_BUFFER_MAX || property->value == 0 ||
		property->value > PIECE)
		return PIECE;
	return (uint16_t)property->value;
}

static enum err index_size(struct tpm *tpm, ESYS_TR index, uint16_t *size)
{
	AUTO(esys_free) TPM2B_NV_PUBLIC *public = NULL;
	AUTO(esys_free) TPM2B_NAME *name = NULL;

	TRY(tpm_ok(TPM_PATIENT(Esys_NV_ReadPublic(tpm_esys(tpm), index, ESYS_TR_NONE, ESYS_TR_NONE,
			   ESYS_TR_NONE, &public, &name)),
		"TPM2_NV_ReadPublic"));
	*size = public->nvPublic.dataSize;
	return OK;
}

static enum err read_piece(
	struct tpm *tpm, ESYS_TR index, uint16_t size, uint16_t offset, struct buf *out)
{
	AUTO(esys_free) TPM2B_MAX_NV_BUFFER *data = NULL;
	TSS2_RC rc;

	rc = TPM_PATIENT(Esys_NV_Read(tpm_esys(tpm), index, index, ESYS_TR_PASSWORD, ESYS_TR_NONE,
		ESYS_TR_NONE, size, offset, &data));
	if (rc == TPM2_RC_NV_UNINITIALIZED)
		return fail(ERR_NOT_FOUND, "tpm-ek", "the NV index was never written");
	TRY(tpm_ok(rc, "TPM2_NV_Read"));
	if (data->size != size)
		return fail(ERR_INTERNAL, "tpm", "TPM2_NV_Read: %u bytes instead of %u", data->size,
			size);
	buf_add(out, (struct view){data->buffer, data->size});
	return buf_ok(out);
}

enum err nv_read(struct tpm *tpm, TPM2_HANDLE index, struct buf *out)
{
	AUTO(loaded_flush) struct loaded nv = LOADED(tpm);
	uint16_t size = 0, piece = piece_size(tpm);
	TSS2_RC rc;

	rc = TPM_PATIENT(Esys_TR_FromTPMPublic(
		tpm_esys(tpm), index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &nv.tr));
	if (tpm_is_absent(rc))
		return fail(ERR_NOT_FOUND, "tpm-ek", "the TPM has no NV index 0x%08x", index);
	TRY(tpm_ok(rc, "TPM2_NV_ReadPublic"));
	TRY(index_size(tpm, nv.tr, &size));
	for (unsigned at = 0; at < size; at += piece) {
		unsigned left = size - at;

		TRY(read_piece(
			tpm, nv.tr, left < piece ? (uint16_t)left : piece, (uint16_t)at, out));
	}
	return OK;
}

enum err nv_list(struct tpm *tpm, TPM2_HANDLE first, TPM2_HANDLE last, TPM2_HANDLE *out,
	size_t room, size_t *n)
{
	AUTO(esys_free) TPMS_CAPABILITY_DATA *data = NULL;
	const TPML_HANDLE *handles;

	*n = 0;
	TRY(tpm_ok(
		TPM_PATIENT(Esys_GetCapability(tpm_esys(tpm), ESYS_TR_NONE, ESYS_TR_NONE,
			ESYS_TR_NONE, TPM2_CAP_HANDLES, first, TPM2_MAX_CAP_HANDLES, NULL, &data)),
		"TPM2_GetCapability"));
	handles = &data->data.handles;
	for (uint32_t i = 0; i < handles->count && *n < room; i++)
		if (handles->handle[i] >= first && handles->handle[i] <= last)
			out[(*n)++] = handles->handle[i];
	return OK;
}
