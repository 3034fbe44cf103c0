#include "enroll/agent/ak.h"

#include "ca/base/file.h"
#include "enroll/agent/tss2key.h"
#include "enroll/proto/limits.h"
#include "enroll/tpm/tag.h"

#include <stdlib.h>
#include <string.h>

/* The default storage primary that tpm2-openssl and its kin make for the parent TPM_RH_OWNER. */
static const TPM2B_PUBLIC storage_primary = {
	.publicArea =
		{
			.type = TPM2_ALG_ECC,
			.nameAlg = TPM2_ALG_SHA256,
			.objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
					    TPMA_OBJECT_SENSITIVEDATAORIGIN |
					    TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA |
					    TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT,
			.parameters.eccDetail =
				{
					.symmetric = {.algorithm = TPM2_ALG_AES,
						.keyBits.aes = 128,
						.mode.aes = TPM2_ALG_CFB},
					.scheme.scheme = TPM2_ALG_NULL,
					.curveID = TPM2_ECC_NIST_P256,
					.kdf.scheme = TPM2_ALG_NULL,
				},
		},
};

void device_ak_free(struct device_ak **ak)
{
	if (*ak == NULL)
		return;
	buf_free(&(*ak)->public);
	buf_free(&(*ak)->private);
	ak_free(&(*ak)->judged);
	free(*ak);
	*ak = NULL;
}

static enum err make_empty(struct device_ak **out)
{
	*out = calloc(1, sizeof(**out));
	if (*out == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "an AK");
	(*out)->public = BUF(LIMIT_PUBLIC);
	(*out)->private = BUF(TSS2KEY_PART_MAX);
	return OK;
}

static void set_parameters(enum key_kind kind, TPMT_PUBLIC *area)
{
	if (kind == KEY_RSA_2048) {
		area->type = TPM2_ALG_RSA;
		area->parameters.rsaDetail.symmetric.algorithm = TPM2_ALG_NULL;
		area->parameters.rsaDetail.scheme.scheme = TPM2_ALG_RSASSA;
		area->parameters.rsaDetail.scheme.details.rsassa.hashAlg = TPM2_ALG_SHA256;
		area->parameters.rsaDetail.keyBits = 2048;
		return;
	}
	area->type = TPM2_ALG_ECC;
	area->parameters.eccDetail.symmetric.algorithm = TPM2_ALG_NULL;
	area->parameters.eccDetail.scheme.scheme = TPM2_ALG_ECDSA;
	area->parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
	area->parameters.eccDetail.curveID = TPM2_ECC_NIST_P256;
	area->parameters.eccDetail.kdf.scheme = TPM2_ALG_NULL;
}

static enum err make_template(enum key_kind kind, const char *service, TPM2B_PUBLIC *out)
{
	TPMT_PUBLIC *area = &out->publicArea;
	uint8_t tag[64];
	size_t n = 0;

	*out = (TPM2B_PUBLIC){0};
	area->nameAlg = TPM2_ALG_SHA256;
	area->objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
				 TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
				 TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT |
				 TPMA_OBJECT_NODA;
	TRY(service_tag(TPM2_ALG_SHA256, service, tag, &n));
	area->authPolicy.size = (uint16_t)n;
	memcpy(area->authPolicy.buffer, tag, n);
	set_parameters(kind, area);
	return OK;
}

static enum err write_private(const TPM2B_PRIVATE *private, struct buf *out)
{
	uint8_t bytes[sizeof(*private)];
	size_t n = 0;

	TRY(tpm_ok(Tss2_MU_TPM2B_PRIVATE_Marshal(private, bytes, sizeof(bytes), &n),
		"a private area"));
	buf_add(out, (struct view){bytes, n});
	return buf_ok(out);
}

static enum err create_under(
	struct tpm *tpm, ESYS_TR parent, const TPM2B_PUBLIC *template, struct device_ak *ak)
{
	AUTO(esys_free) TPM2B_PRIVATE *private = NULL;
	AUTO(esys_free) TPM2B_PUBLIC *public = NULL;
	const TPM2B_SENSITIVE_CREATE no_auth = {0};
	const TPM2B_DATA no_data = {0};
	const TPML_PCR_SELECTION no_pcr = {0};

	TRY(tpm_ok(TPM_PATIENT(Esys_Create(tpm_esys(tpm), parent, ESYS_TR_PASSWORD, ESYS_TR_NONE,
			   ESYS_TR_NONE, &no_auth, template, &no_data, &no_pcr, &private, &public,
			   NULL, NULL, NULL)),
		"TPM2_Create (AK)"));
	TRY(tpm_public_write(public, &ak->public));
	return write_private(private, &ak->private);
}

enum err device_ak_create(
	struct tpm *tpm, enum key_kind kind, const char *service, struct device_ak **out)
{
	AUTO(loaded_flush) struct loaded parent = LOADED(tpm);
	AUTO(device_ak_free) struct device_ak *ak = NULL;
	TPM2B_PUBLIC template;

	TRY(make_empty(&ak));
	TRY(make_template(kind, service, &template));
	TRY(tpm_primary_create(tpm, ESYS_TR_RH_OWNER, &storage_primary, &parent));
	TRY(create_under(tpm, parent.tr, &template, ak));
	TRY(ak_judge(buf_view(&ak->public), service, &ak->judged));
	*out = MOVE(ak);
	return OK;
}

enum err device_ak_read(const char *path, const char *service, struct device_ak **out)
{
	AUTO(device_ak_free) struct device_ak *ak = NULL;
	AUTO(buf_free) struct buf pem = BUF(TSS2KEY_MAX);

	TRY(make_empty(&ak));
	TRY(file_read(path, &pem));
	TRY(tss2key_parse(buf_view(&pem), &ak->public, &ak->private));
	TRY(ak_judge(buf_view(&ak->public), service, &ak->judged));
	*out = MOVE(ak);
	return OK;
}

enum err device_ak_write(const struct device_ak *ak, const char *path)
{
	AUTO(buf_free) struct buf pem = BUF(TSS2KEY_MAX);

	TRY(tss2key_encode(buf_view(&ak->public), buf_view(&ak->private), &pem));
	return file_replace(path, 0600, buf_view(&pem));
}

enum err device_ak_load(struct tpm *tpm, const struct device_ak *ak, struct loaded *out)
{
	AUTO(loaded_flush) struct loaded parent = LOADED(tpm);
	TPM2B_PUBLIC public;
	TPM2B_PRIVATE private;
	TSS2_RC rc;

	if (!TPM_READ(TPM2B_PUBLIC, buf_view(&ak->public), &public) ||
		!TPM_READ(TPM2B_PRIVATE, buf_view(&ak->private), &private))
		return fail(ERR_REJECTED, "tpm-key",
			"the key file does not hold one TPM2B_PUBLIC and one TPM2B_PRIVATE");
	TRY(tpm_primary_create(tpm, ESYS_TR_RH_OWNER, &storage_primary, &parent));
	rc = TPM_PATIENT(Esys_Load(tpm_esys(tpm), parent.tr, ESYS_TR_PASSWORD, ESYS_TR_NONE,
		ESYS_TR_NONE, &private, &public, &out->tr));
	if (tpm_is_verdict(rc))
		return fail(ERR_REJECTED, "tpm-key",
			"this TPM did not make the AK in the key file, or was cleared since "
			"(0x%08x)",
			rc);
	return tpm_ok(rc, "TPM2_Load (AK)");
}
