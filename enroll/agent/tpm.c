#include "enroll/agent/tpm.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tss2/tss2_tctildr.h>

#define TRIES 8

/* The hierarchies that we use, and where an auth value of theirs may come from. */
static const struct hierarchy {
	const char *name;
	ESYS_TR tr;
	const char *option;
	const char *credential;
	const char *instead; /* when it is disabled */
} hierarchies[] = {
	{"owner", ESYS_TR_RH_OWNER, "--owner-auth", AUTH_OWNER_CREDENTIAL,
		"enable it, or make the AK elsewhere: --hierarchy endorsement"},
	{"endorsement", ESYS_TR_RH_ENDORSEMENT, "--endorsement-auth", AUTH_ENDORSEMENT_CREDENTIAL,
		"nothing can be proven without it: enable it"},
};

struct tpm {
	TSS2_TCTI_CONTEXT *tcti;
	ESYS_CONTEXT *esys;
	char auth_source[COUNT(hierarchies)][AUTH_SOURCE_SIZE]; /* "": no auth value */
};

/* The TSS keeps its copies until it is told other values. */
static void forget_auths(struct tpm *tpm)
{
	static const TPM2B_AUTH zeroes = {.size = sizeof(zeroes.buffer)};

	for (size_t i = 0; i < COUNT(hierarchies); i++)
		if (tpm->auth_source[i][0] != '\0')
			(void)Esys_TR_SetAuth(tpm->esys, hierarchies[i].tr, &zeroes);
}

void tpm_close(struct tpm **tpm)
{
	if (*tpm == NULL)
		return;
	if ((*tpm)->esys != NULL) {
		forget_auths(*tpm);
		Esys_Finalize(&(*tpm)->esys);
	}
	if ((*tpm)->tcti != NULL)
		Tss2_TctiLdr_Finalize(&(*tpm)->tcti);
	free(*tpm);
	*tpm = NULL;
}

static enum err set_auth(struct tpm *tpm, size_t i, const char *path)
{
	AUTO(auth_wipe) struct tpm_auth auth;

	TRY(auth_read(path, hierarchies[i].credential, &auth));
	if (auth.source[0] == '\0')
		return OK;
	memcpy(tpm->auth_source[i], auth.source, sizeof(auth.source));
	return tpm_ok(Esys_TR_SetAuth(tpm->esys, hierarchies[i].tr, &auth.value), "an auth value");
}

enum err tpm_open(const struct tpm_access *access, struct tpm **out)
{
	AUTO(tpm_close) struct tpm *tpm = calloc(1, sizeof(*tpm));
	TSS2_RC rc;

	if (tpm == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "tpm_open");
	/* The TSS writes its own lines about every refusal, expected or not; ours say what it
	 * means. */
	setenv("TSS2_LOG", "all+NONE", 0);
	rc = Tss2_TctiLdr_Initialize(access->tcti, &tpm->tcti);
	if (rc != TSS2_RC_SUCCESS)
		return fail(ERR_INTERNAL, "tpm",
			"it cannot be reached (code 0x%08x): is there a TPM, may this user open "
			"it, does nobody else hold it alone, is --tcti right?",
			rc);
	TRY(tpm_ok(Esys_Initialize(&tpm->esys, tpm->tcti, NULL), "the TSS's start"));
	TRY(set_auth(tpm, 0, access->owner_auth));
	TRY(set_auth(tpm, 1, access->endorsement_auth));
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
		return ": a password protects this key, and endorse can use only keys without one";
	case TPM2_RC_LOCKOUT:
		return ": the TPM is locked out after wrong passwords, which closes keys that "
		       "count "
		       "them, such as the p384 EK; wait until it recovers, or end it with "
		       "tpm2_dictionarylockout -c, or use an EK that is not closed: --ek rsa2048 "
		       "or "
		       "p256";
	case TPM2_RC_OBJECT_MEMORY:
	case TPM2_RC_OBJECT_HANDLES:
		return ": other programs' keys fill the TPM; share it through the resource manager "
		       "(--tcti device:/dev/tpmrm0), or have them go: tpm2_flushcontext -t";
	case TPM2_RC_SESSION_HANDLES:
	case TPM2_RC_SESSION_MEMORY:
		return ": other programs' sessions fill the TPM; share it through the resource "
		       "manager (--tcti device:/dev/tpmrm0), or have them go: "
		       "tpm2_flushcontext -l, or -s";
	case TPM2_RC_NV_SPACE:
		return ": the TPM's permanent memory is full; free a persistent handle or an NV "
		       "index that nobody needs (tpm2_getcap handles-persistent), or go on "
		       "without --ak-handle";
	case TPM2_RC_INITIALIZE:
		return ": the TPM was not started, which the firmware or the kernel does; for a "
		       "software TPM: tpm2_startup -c";
	case TPM2_RC_FAILURE:
		return ": the TPM is in failure mode and answers no more; restart the machine, and "
		       "if that does not help the TPM is broken (tpm2_gettestresult tells more)";
	case TPM2_RC_HIERARCHY:
		return ": this hierarchy is disabled; enable it in the firmware's settings";
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

/* Tried once: neither of the two counts wrong values, and a loop would still be an attack. */
static enum err refused_auth(const struct tpm *tpm, size_t i, const char *command)
{
	const struct hierarchy *h = &hierarchies[i];

	if (tpm->auth_source[i][0] != '\0')
		return fail(ERR_INTERNAL, "tpm-auth",
			"%s: the %s hierarchy refuses the auth value in %s: put the right one "
			"there, "
			"or name its file with %s FILE",
			command, h->name, tpm->auth_source[i], h->option);
	return fail(ERR_INTERNAL, "tpm-auth",
		"%s: the %s hierarchy has an auth value (a password): put it into a file that "
		"only you can read, for %s FILE, or into systemd's credential %s",
		command, h->name, h->option, h->credential);
}

enum err tpm_hierarchy_ok(const struct tpm *tpm, TSS2_RC rc, ESYS_TR hierarchy, const char *command)
{
	size_t i = hierarchy == ESYS_TR_RH_OWNER ? 0 : 1;

	if (!is_from_tpm(rc))
		return tpm_ok(rc, command);
	if (bare(rc) == TPM2_RC_BAD_AUTH || bare(rc) == TPM2_RC_AUTH_FAIL)
		return refused_auth(tpm, i, command);
	if (bare(rc) == TPM2_RC_HIERARCHY)
		return fail(ERR_INTERNAL, "tpm",
			"%s: the %s hierarchy is disabled, by the firmware's settings or by "
			"somebody since the machine started (code 0x%08x); %s",
			command, hierarchies[i].name, rc, hierarchies[i].instead);
	return tpm_ok(rc, command);
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
	TSS2_RC rc;

	rc = TPM_PATIENT(Esys_CreatePrimary(tpm->esys, hierarchy, ESYS_TR_PASSWORD, ESYS_TR_NONE,
		ESYS_TR_NONE, &no_auth, template, &no_data, &no_pcr, &out->tr, NULL, NULL, NULL,
		NULL));
	return tpm_hierarchy_ok(tpm, rc, hierarchy, "TPM2_CreatePrimary");
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

enum err tpm_signature_write(const TPMT_SIGNATURE *signature, struct buf *out)
{
	uint8_t bytes[sizeof(*signature)];
	size_t n = 0;

	TRY(tpm_ok(Tss2_MU_TPMT_SIGNATURE_Marshal(signature, bytes, sizeof(bytes), &n),
		"a signature"));
	buf_add(out, (struct view){bytes, n});
	return buf_ok(out);
}
