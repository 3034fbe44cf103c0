/* device.h - a device's TPM in a test's hands: it does what it is told, right or wrong. */
#pragma once

#include "enroll/proto/proof.h"
#include "enroll/tpm/ekpublic.h"
#include "enroll/tpm/tag.h"
#include "tests/flow/maker.h"

#include <tss2/tss2_esys.h>

struct device {
	TSS2_TCTI_CONTEXT *tcti;
	ESYS_CONTEXT *esys;
};
void device_open(struct device *device, const char *tcti);
void device_close(struct device *device);
/* Throws out every key that is loaded: a test that failed may have left some. */
void device_flush(struct device *device);

/* Appends an NV index's content, read with the index's own empty authorisation; false: no such
 * index. */
bool device_nv_read(struct device *device, uint32_t index, struct buf *out);
/* Defines the index (anew where it exists) by the platform hierarchy and writes it. */
void device_nv_write(struct device *device, uint32_t index, struct view bytes);
/* Undefines it, if it is there. */
void device_nv_remove(struct device *device, uint32_t index);

/* A key in the TPM; it has three places for them. */
struct device_key {
	ESYS_TR handle;
	struct buf public; /* TPM2B_PUBLIC */
};
void device_key_free(struct device *device, struct device_key *key);

/* TPM2_CreatePrimary without authorisation. */
void device_primary(struct device *device, ESYS_TR hierarchy, const TPM2B_PUBLIC *template,
	struct device_key *out);
/* The EK from one of the TCG's templates, or from the first one of a kind. */
void device_ek_from(struct device *device, const struct ek_template *tmpl, struct device_key *out);
void device_ek(struct device *device, enum key_kind kind, struct device_key *out);
/* Makes the EK, has it certified and writes the certificate to its NV index. */
void device_certify_from(struct device *device, const struct ek_template *tmpl, struct maker *maker,
	const struct ek_wish *wish);
void device_certify(
	struct device *device, enum key_kind kind, struct maker *maker, const struct ek_wish *wish);

enum ak_shape { AK_P256, AK_P384, AK_RSASSA, AK_RSAPSS };
/* The template of an AK as PROTOCOL.md wants it, for one service; random in `unique`. */
void ak_template(enum ak_shape shape, const char *service, TPM2B_PUBLIC *out);

/* TPM2_ActivateCredential; false with the TPM's response code in `*rc` when it refuses. */
bool device_activate(struct device *device, enum key_kind kind, const struct device_key *ek,
	const struct device_key *ak, struct view blob, struct view secret, struct secret_key *out,
	TSS2_RC *rc);

/* A TPM2B_PUBLIC as bytes, and its key. */
void public_bytes(const TPM2B_PUBLIC *area, struct buf *out);
void public_area(struct view bytes, TPM2B_PUBLIC *out);
EVP_PKEY *public_key(struct view bytes);
