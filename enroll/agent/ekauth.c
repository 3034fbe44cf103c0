#include "enroll/agent/ekauth.h"

enum err ek_authorize(
	struct tpm *tpm, const struct ek_template *ek, struct loaded *session, ESYS_TR *auth)
{
	const TPMT_SYM_DEF none = {.algorithm = TPM2_ALG_NULL};
	TSS2_RC rc;

	*auth = ESYS_TR_PASSWORD;
	if (!ek->needs_policy)
		return OK;
	TRY(tpm_ok(TPM_PATIENT(Esys_StartAuthSession(tpm_esys(tpm), ESYS_TR_NONE, ESYS_TR_NONE,
			   ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, NULL, TPM2_SE_POLICY, &none,
			   ek->name_alg, &session->tr)),
		"TPM2_StartAuthSession (policy)"));
	rc = TPM_PATIENT(Esys_PolicySecret(tpm_esys(tpm), ESYS_TR_RH_ENDORSEMENT, session->tr,
		ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, NULL, NULL, NULL, 0, NULL, NULL));
	*auth = session->tr;
	return tpm_hierarchy_ok(tpm, rc, ESYS_TR_RH_ENDORSEMENT, "TPM2_PolicySecret");
}
