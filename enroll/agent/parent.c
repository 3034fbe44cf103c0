#include "enroll/agent/parent.h"

#include "enroll/agent/ekauth.h"

#include <string.h>

/* The default storage primary that tpm2-openssl and its kin make for a hierarchy as parent. */
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

static const char *const texts[] = {"owner", "endorsement", "ek"};

const char *ak_hierarchy_text(enum ak_hierarchy hierarchy)
{
	return texts[hierarchy];
}

bool ak_hierarchy_read(const char *text, enum ak_hierarchy *out)
{
	for (size_t i = 0; i < COUNT(texts); i++)
		if (strcmp(texts[i], text) == 0) {
			*out = (enum ak_hierarchy)i;
			return true;
		}
	return false;
}

TPM2_HANDLE parent_handle(enum ak_hierarchy hierarchy, const struct ek_template *ek)
{
	if (hierarchy == AK_BELOW_EK)
		return ek->persistent;
	return hierarchy == AK_BELOW_OWNER ? TPM2_RH_OWNER : TPM2_RH_ENDORSEMENT;
}

bool parent_hierarchy(TPM2_HANDLE parent, enum ak_hierarchy *out)
{
	if (parent == TPM2_RH_OWNER || parent == TPM2_RH_ENDORSEMENT) {
		*out = parent == TPM2_RH_OWNER ? AK_BELOW_OWNER : AK_BELOW_ENDORSEMENT;
		return true;
	}
	for (const struct ek_template *t = ek_templates; t->name != NULL; t++)
		if (t->persistent == parent) {
			*out = AK_BELOW_EK;
			return true;
		}
	return false;
}

void parent_flush(struct parent *parent)
{
	loaded_flush(&parent->session);
	loaded_flush(&parent->key);
}

enum err parent_load(
	struct tpm *tpm, TPM2_HANDLE parent, const struct device_ek *ek, struct parent *out)
{
	if (parent == TPM2_RH_OWNER)
		return tpm_primary_create(tpm, ESYS_TR_RH_OWNER, &storage_primary, &out->key);
	if (parent == TPM2_RH_ENDORSEMENT)
		return tpm_primary_create(tpm, ESYS_TR_RH_ENDORSEMENT, &storage_primary, &out->key);
	if (ek == NULL || ek->template->persistent != parent)
		return fail(ERR_REJECTED, "tpm-key",
			"the AK is a child of the EK of handle 0x%08x, and that EK is not the one "
			"in use here; name its kind with --ek",
			parent);
	out->ek = ek->template;
	return device_ek_load(tpm, ek, &out->key);
}

enum err parent_authorize(struct tpm *tpm, struct parent *parent, ESYS_TR *auth)
{
	*auth = ESYS_TR_PASSWORD;
	if (parent->ek == NULL)
		return OK;
	loaded_flush(&parent->session);
	return ek_authorize(tpm, parent->ek, &parent->session, auth);
}
