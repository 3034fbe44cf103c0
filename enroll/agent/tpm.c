#include "enroll/agent/tpm.h"

#include <stdlib.h>
#include <time.h>
#include <tss2/tss2_tctildr.h>

#define TRIES 8

struct tpm {
	TSS2_TCTI_CONTEXT *tcti;
	ESYS_CONTEXT *esys;
};

void tpm_close(struct tpm **tpm)
{
	if (*tpm == NULL)
		return;
	if ((*tpm)->esys != NULL)
		Esys_Finalize(&(*tpm)->esys);
	if ((*tpm)->tcti != NULL)
		Tss2_TctiLdr_Finalize(&(*tpm)->tcti);
	free(*tpm);
	*tpm = NULL;
}

enum err tpm_open(const char *tcti, struct tpm **out)
{
	AUTO(tpm_close) struct tpm *tpm = calloc(1, sizeof(*tpm));
	TSS2_RC rc;

	if (tpm == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "tpm_open");
	/* The TSS writes its own lines about every refusal, expected or not; ours say what it
	 * means. */
	setenv("TSS2_LOG", "all+NONE", 0);
	rc = Tss2_TctiLdr_Initialize(tcti, &tpm->tcti);
	if (rc != TSS2_RC_SUCCESS)
		return fail(ERR_INTERNAL, "tpm",
			"no TPM can be reached through %s (code 0x%08x): is there one, may this "
			"user open it, is --tcti right?",
			tcti == NULL ? "the TSS's default, /dev/tpmrm0" : tcti, rc);
	TRY(tpm_ok(Esys_Initialize(&tpm->esys, tpm->tcti, NULL), "the TSS's start"));
	*out = MOVE(tpm);
	return OK;
}

ESYS_CONTEXT *tpm_esys(struct tpm *tpm)
{
	return tpm->esys;
}

void esys_free(void *address_of_pointer)
{
	void **p = address_of_pointer;

	Esys_Free(*p);
	*p = NULL;
}

static bool is_from_tpm(TSS2_RC rc)
{
	return (rc & TSS2_RC_LAYER_MASK) == TSS2_TPM_RC_LAYER ||
	       (rc & TSS2_RC_LAYER_MASK) == TSS2_RESMGR_TPM_RC_LAYER;
}

bool tpm_is_verdict(TSS2_RC rc)
{
	return is_from_tpm(rc) && (rc & TPM2_RC_FMT1) != 0;
}

/* The code without the number of the handle, session or parameter that it is about. */
static TSS2_RC bare(TSS2_RC rc)
{
	rc &= ~(TSS2_RC)TSS2_RC_LAYER_MASK;
	return (rc & TPM2_RC_FMT1) != 0 ? rc & (TPM2_RC_FMT1 | 0x3f) : rc;
}

bool tpm_is_absent(TSS2_RC rc)
{
	return is_from_tpm(rc) && bare(rc) == TPM2_RC_HANDLE;
}

static const char *advice(TSS2_RC rc)
{
	if (!is_from_tpm(rc))
		return ": the TPM did not answer as one, or the connection to it broke";
	switch (bare(rc)) {
	case TPM2_RC_AUTH_FAIL:
	case TPM2_RC_BAD_AUTH:
		return ": a password protects this hierarchy or key, and endorse has none";
	case TPM2_RC_LOCKOUT:
		return ": locked out after wrong passwords; wait, or tpm2_dictionarylockout";
	case TPM2_RC_OBJECT_MEMORY:
	case TPM2_RC_SESSION_HANDLES:
	case TPM2_RC_SESSION_MEMORY:
		return ": other programs fill the TPM; use the resource manager, /dev/tpmrm0";
	case TPM2_RC_INITIALIZE:
		return ": the TPM was not started";
	case TPM2_RC_FAILURE:
		return ": the TPM is in failure mode; a restart of the machine may help";
	case TPM2_RC_HIERARCHY:
		return ": this hierarchy is disabled in the firmware's settings";
	default:
		return "";
	}
}

enum err tpm_ok(TSS2_RC rc, const char *command)
{
	if (rc == TSS2_RC_SUCCESS)
		return OK;
	return fail(ERR_INTERNAL, "tpm", "%s: the TPM's code 0x%08x%s", command, rc, advice(rc));
}

bool tpm_again(TSS2_RC rc, unsigned *tries)
{
	struct timespec wait = {0, 50000000L};

	if (!is_from_tpm(rc) || (bare(rc) != TPM2_RC_RETRY && bare(rc) != TPM2_RC_YIELDED &&
					bare(rc) != TPM2_RC_TESTING))
		return false;
	if (++*tries > TRIES)
		return false;
	for (unsigned i = 0; i < *tries; i++)
		nanosleep(&wait, NULL);
	return true;
}

void loaded_flush(struct loaded *loaded)
{
	TPM2_HANDLE handle = 0;

	if (loaded->tr == ESYS_TR_NONE)
		return;
	if (Esys_TR_GetTpmHandle(loaded->tpm->esys, loaded->tr, &handle) == TSS2_RC_SUCCESS &&
		(handle >> TPM2_HR_SHIFT == TPM2_HT_PERSISTENT ||
			handle >> TPM2_HR_SHIFT == TPM2_HT_NV_INDEX))
		Esys_TR_Close(loaded->tpm->esys, &loaded->tr);
	else
		(void)TPM_PATIENT(Esys_FlushContext(loaded->tpm->esys, loaded->tr));
	loaded->tr = ESYS_TR_NONE;
}

enum err tpm_primary_create(
	struct tpm *tpm, ESYS_TR hierarchy, const TPM2B_PUBLIC *template, struct loaded *out)
{
	const TPM2B_SENSITIVE_CREATE no_auth = {0};
	const TPM2B_DATA no_data = {0};
	const TPML_PCR_SELECTION no_pcr = {0};

	return tpm_ok(TPM_PATIENT(Esys_CreatePrimary(tpm->esys, hierarchy, ESYS_TR_PASSWORD,
			      ESYS_TR_NONE, ESYS_TR_NONE, &no_auth, template, &no_data, &no_pcr,
			      &out->tr, NULL, NULL, NULL, NULL)),
		hierarchy == ESYS_TR_RH_OWNER ? "TPM2_CreatePrimary (owner)"
					      : "TPM2_CreatePrimary (endorsement)");
}

enum err tpm_public_write(const TPM2B_PUBLIC *public, struct buf *out)
{
	uint8_t bytes[sizeof(*public)];
	size_t n = 0;

	TRY(tpm_ok(
		Tss2_MU_TPM2B_PUBLIC_Marshal(public, bytes, sizeof(bytes), &n), "a public area"));
	buf_add(out, (struct view){bytes, n});
	return buf_ok(out);
}
