#include "enroll/agent/credential.h"

#include "enroll/agent/ekauth.h"

#include <string.h>

/* A session salted with the EK, so that nobody between here and the TPM can follow it. */
static enum err start_encryption(
	struct tpm *tpm, ESYS_TR ek, const struct ek_template *template, struct loaded *out)
{
	const TPMT_SYM_DEF aes = {.algorithm = TPM2_ALG_AES,
		.keyBits.aes = template->symmetric_bits,
		.mode.aes = TPM2_ALG_CFB};
	const TPMA_SESSION attributes = TPMA_SESSION_ENCRYPT | TPMA_SESSION_CONTINUESESSION;

	TRY(tpm_ok(TPM_PATIENT(Esys_StartAuthSession(tpm_esys(tpm), ek, ESYS_TR_NONE, ESYS_TR_NONE,
			   ESYS_TR_NONE, ESYS_TR_NONE, NULL, TPM2_SE_HMAC, &aes, template->name_alg,
			   &out->tr)),
		"TPM2_StartAuthSession (HMAC)"));
	return tpm_ok(Esys_TRSess_SetAttributes(tpm_esys(tpm), out->tr, attributes, 0xff),
		"the session's attributes");
}

static enum err take_key(TPM2B_DIGEST *info, struct secret_key *out)
{
	enum err err = OK;

	if (info->size != sizeof(out->bytes))
		err = fail(ERR_MALFORMED, "service-answer",
			"the credential holds %u bytes, not %zu", info->size, sizeof(out->bytes));
	else
		memcpy(out->bytes, info->buffer, sizeof(out->bytes));
	secret_wipe(info, sizeof(*info));
	Esys_Free(info);
	return err;
}

struct activation {
	ESYS_TR ak;
	ESYS_TR ek;
	ESYS_TR ek_auth;
	ESYS_TR encryption;
};

static enum err activate(struct tpm *tpm, const struct activation *with,
	const struct challenge *challenge, struct secret_key *out)
{
	TPM2B_ENCRYPTED_SECRET secret;
	TPM2B_ID_OBJECT blob;
	TPM2B_DIGEST *info = NULL;
	TSS2_RC rc;

	if (!TPM_READ(TPM2B_ID_OBJECT, buf_view(&challenge->credential_blob), &blob))
		return fail(ERR_MALFORMED, "service-answer",
			"the service's credential_blob is not one TPM2B_ID_OBJECT");
	if (!TPM_READ(TPM2B_ENCRYPTED_SECRET, buf_view(&challenge->secret), &secret))
		return fail(ERR_MALFORMED, "service-answer",
			"the service's secret is not one TPM2B_ENCRYPTED_SECRET");
	rc = TPM_PATIENT(Esys_ActivateCredential(tpm_esys(tpm), with->ak, with->ek,
		ESYS_TR_PASSWORD, with->ek_auth, with->encryption, &blob, &secret, &info));
	/* About a parameter, not about a handle or session: the challenge is wrong, not the TPM. */
	if (tpm_is_verdict(rc) && (rc & TPM2_RC_P) != 0)
		return fail(ERR_MALFORMED, "service-answer",
			"the service's credential was not made for this EK and this AK (0x%08x)",
			rc);
	/* What some TPMs say of a secret that was not encrypted to their EK. */
	if (rc == TPM2_RC_FAILURE)
		return fail(ERR_MALFORMED, "service-answer",
			"this TPM cannot open the service's credential: it was made for another "
			"EK, or the "
			"TPM is in failure mode (tpm2_selftest tells)");
	TRY(tpm_ok(rc, "TPM2_ActivateCredential"));
	return take_key(info, out);
}

enum err credential_activate(struct tpm *tpm, const struct device_ek *ek,
	const struct device_ak *ak, const struct challenge *challenge, struct secret_key *out)
{
	AUTO(loaded_flush) struct loaded ek_key = LOADED(tpm);
	AUTO(loaded_flush) struct loaded ak_key = LOADED(tpm);
	AUTO(loaded_flush) struct loaded encryption = LOADED(tpm);
	AUTO(loaded_flush) struct loaded policy = LOADED(tpm);
	struct activation with;
	ESYS_TR ek_auth;

	TRY(device_ak_load(tpm, ak, ek, &ak_key));
	TRY(device_ek_load(tpm, ek, &ek_key));
	TRY(start_encryption(tpm, ek_key.tr, ek->template, &encryption));
	TRY(ek_authorize(tpm, ek->template, &policy, &ek_auth));
	with = (struct activation){ak_key.tr, ek_key.tr, ek_auth, encryption.tr};
	return activate(tpm, &with, challenge, out);
}
