/* doctor_tpm.c - the TPM as its capabilities show it. */
#include "ca/base/clock.h"
#include "enroll/agent/doctor.h"
#include "enroll/tpm/manufacturer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SLOW_MS 1000
/* Parent and AK, or EK and AK, at once; one session for the policy and one that encrypts. */
#define KEYS_NEEDED 2
#define SESSIONS_NEEDED 2
#define MANAGED "/dev/tpmrm0"
#define RAW "/dev/tpm0"

#define SAY(doctor, level, ...)                                                                    \
	diagnosis_add(&(doctor)->diagnosis, FINDING_##level, "tpm", __VA_ARGS__)

static bool property(struct tpm *tpm, uint32_t which, uint32_t *value)
{
	AUTO(esys_free) TPMS_CAPABILITY_DATA *data = NULL;
	const TPMS_TAGGED_PROPERTY *found;

	*value = 0;
	if (TPM_PATIENT(Esys_GetCapability(tpm_esys(tpm), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
		    TPM2_CAP_TPM_PROPERTIES, which, 1, NULL, &data)) != TSS2_RC_SUCCESS ||
		data->data.tpmProperties.count != 1)
		return false;
	found = &data->data.tpmProperties.tpmProperty[0];
	*value = found->value;
	return found->property == which;
}

/* Four letters in a number, most significant first (TPM 2.0 Part 2, 6.13). */
static void add_letters(struct tpm *tpm, uint32_t which, char *out, size_t room)
{
	uint32_t value;
	size_t n = strlen(out);

	if (!property(tpm, which, &value))
		return;
	for (int shift = 24; shift >= 0 && n + 1 < room; shift -= 8)
		if ((value >> shift & 0xff) != 0)
			out[n++] = (char)(value >> shift & 0xff);
	out[n] = '\0';
}

/* What the device nodes say when the TSS only says no. */
static const char *node_hint(const struct doctor *doctor)
{
	if (doctor->wish.access.tcti != NULL &&
		strstr(doctor->wish.access.tcti, "/dev/tpm") == NULL)
		return "Is the TPM's program running, and the path or port the right one?";
	if (access(MANAGED, R_OK | W_OK) == 0)
		return MANAGED " can be opened, so the TPM itself does not answer: restart the "
			       "machine, look at dmesg";
	if (errno == EACCES || errno == EPERM)
		return "This user may not open " MANAGED ": run as root, or as a member of tss";
	if (access(RAW, F_OK) == 0)
		return RAW " is there and " MANAGED " is not: this kernel has no resource manager";
	return "There is no " MANAGED ": is the TPM enabled in the firmware's settings, and is "
	       "its driver in the kernel (dmesg | grep -i tpm)?";
}

static bool is_software(const char *vendor, const char *tcti)
{
	return strncmp(vendor, "SW", 2) == 0 || strstr(vendor, "Sim") != NULL ||
	       (tcti != NULL && (strncmp(tcti, "swtpm", 5) == 0 || strncmp(tcti, "mssim", 5) == 0));
}

static void say_who(struct doctor *doctor, struct tpm *tpm)
{
	char maker[8] = "", vendor[20] = "", id[16], text[MANUFACTURER_SIZE];
	uint32_t number = 0, firmware_1 = 0, firmware_2 = 0;
	int64_t began = clock_ms(), took;

	add_letters(tpm, TPM2_PT_MANUFACTURER, maker, sizeof(maker));
	took = clock_ms() - began;
	(void)property(tpm, TPM2_PT_MANUFACTURER, &number);
	snprintf(id, sizeof(id), "id:%08X", number);
	manufacturer_text(id, text);
	for (uint32_t i = 0; i < 4; i++)
		add_letters(tpm, TPM2_PT_VENDOR_STRING_1 + i, vendor, sizeof(vendor));
	(void)property(tpm, TPM2_PT_FIRMWARE_VERSION_1, &firmware_1);
	(void)property(tpm, TPM2_PT_FIRMWARE_VERSION_2, &firmware_2);
	SAY(doctor, OK, "reached through %s: manufacturer %s, model \"%s\", firmware %u.%u.%u.%u%s",
		access_text(&doctor->wish.access), text, vendor, firmware_1 >> 16,
		firmware_1 & 0xffff, firmware_2 >> 16, firmware_2 & 0xffff,
		is_software(vendor, doctor->wish.access.tcti)
			? "; it is software: as safe as the machine it runs on"
			: "");
	if (took > SLOW_MS)
		SAY(doctor, WARN,
			"it took %lld ms for the simplest command: another program keeps it busy, "
			"or it tests itself",
			(long long)took);
}

/* Without a resource manager whatever another program leaves in the TPM is in the way. */
static bool is_raw(const struct doctor *doctor)
{
	const char *tcti = doctor->wish.access.tcti;

	if (tcti == NULL)
		return access(MANAGED, R_OK | W_OK) != 0;
	return strstr(tcti, "tpmrm") == NULL && strncmp(tcti, "tabrmd", 6) != 0;
}

static void look_at_slots(struct doctor *doctor, struct tpm *tpm)
{
	const char *tcti = doctor->wish.access.tcti;
	uint32_t keys, sessions;

	if (!is_raw(doctor))
		return;
	if (tcti == NULL || strncmp(tcti, "device", 6) == 0)
		SAY(doctor, WARN,
			"no resource manager between here and the TPM: two programs at once get in "
			"each other's way; use device:" MANAGED);
	if (property(tpm, TPM2_PT_HR_TRANSIENT_AVAIL, &keys) && keys < KEYS_NEEDED)
		SAY(doctor, FAIL,
			"room for %u more keys, and %d are needed at once: other programs left "
			"keys in it (tpm2_flushcontext --transient-object), or use a resource "
			"manager",
			keys, KEYS_NEEDED);
	if (property(tpm, TPM2_PT_HR_LOADED_AVAIL, &sessions) && sessions < SESSIONS_NEEDED)
		SAY(doctor, FAIL,
			"room for %u more sessions, and %d are needed at once: other programs "
			"left sessions in it (tpm2_flushcontext --loaded-session), or use a "
			"resource manager",
			sessions, SESSIONS_NEEDED);
}

/* Whether it is the right one shows when it is used, further down. */
static void look_at_password(struct doctor *doctor, const char *hierarchy, const char *use,
	const char *path, const char *credential)
{
	AUTO(auth_wipe) struct tpm_auth auth = {.source = ""};

	if (auth_read(path, credential, &auth) == OK && auth.source[0] != '\0')
		SAY(doctor, OK, "the %s hierarchy has a password, and %s is given for it",
			hierarchy, auth.source);
	else
		SAY(doctor, WARN,
			"the %s hierarchy has a password, and %s: give it with --%s-auth FILE",
			hierarchy, use, hierarchy);
}

static void look_at_locks(struct doctor *doctor, struct tpm *tpm)
{
	uint32_t permanent;

	if (!property(tpm, TPM2_PT_PERMANENT, &permanent))
		return;
	if ((permanent & TPMA_PERMANENT_INLOCKOUT) != 0)
		SAY(doctor, WARN,
			"in lockout after wrong passwords: keys that it protects so answer with "
			"TPM_RC_LOCKOUT, among them some EKs; wait, or "
			"tpm2_dictionarylockout --clear-lockout%s",
			(permanent & TPMA_PERMANENT_LOCKOUTAUTHSET) != 0
				? " with the lockout password"
				: "");
	if ((permanent & TPMA_PERMANENT_OWNERAUTHSET) != 0)
		look_at_password(doctor, "owner", "the AK is made there",
			doctor->wish.access.owner_auth, AUTH_OWNER_CREDENTIAL);
	if ((permanent & TPMA_PERMANENT_ENDORSEMENTAUTHSET) != 0)
		look_at_password(doctor, "endorsement", "the EK is made and used there",
			doctor->wish.access.endorsement_auth, AUTH_ENDORSEMENT_CREDENTIAL);
}

static void look_at_hierarchies(struct doctor *doctor, struct tpm *tpm)
{
	uint32_t startup;

	if (!property(tpm, TPM2_PT_STARTUP_CLEAR, &startup))
		return;
	if ((startup & TPMA_STARTUP_CLEAR_SHENABLE) == 0)
		SAY(doctor, FAIL,
			"the owner hierarchy is disabled, and the AK is made there: enable it in "
			"the firmware's settings, or restart");
	if ((startup & TPMA_STARTUP_CLEAR_EHENABLE) == 0)
		SAY(doctor, FAIL,
			"the endorsement hierarchy is disabled, and the EK is made there: enable "
			"it in the firmware's settings (\"privacy\"), or restart");
}

static bool has_algorithm(struct tpm *tpm, TPM2_ALG_ID algorithm)
{
	AUTO(esys_free) TPMS_CAPABILITY_DATA *data = NULL;

	return TPM_PATIENT(Esys_GetCapability(tpm_esys(tpm), ESYS_TR_NONE, ESYS_TR_NONE,
		       ESYS_TR_NONE, TPM2_CAP_ALGS, algorithm, 1, NULL, &data)) ==
		       TSS2_RC_SUCCESS &&
	       data->data.algorithms.count == 1 &&
	       data->data.algorithms.algProperties[0].alg == algorithm;
}

static bool has_curve(struct tpm *tpm, TPM2_ECC_CURVE curve)
{
	AUTO(esys_free) TPMS_CAPABILITY_DATA *data = NULL;

	return TPM_PATIENT(Esys_GetCapability(tpm_esys(tpm), ESYS_TR_NONE, ESYS_TR_NONE,
		       ESYS_TR_NONE, TPM2_CAP_ECC_CURVES, curve, 1, NULL, &data)) ==
		       TSS2_RC_SUCCESS &&
	       data->data.eccCurves.count == 1 && data->data.eccCurves.eccCurves[0] == curve;
}

static bool can_make(struct tpm *tpm, const struct ak_recipe *recipe)
{
	if (recipe->kind == KEY_P256 && !has_curve(tpm, TPM2_ECC_NIST_P256))
		return false;
	if (recipe->kind == KEY_P384 && !has_curve(tpm, TPM2_ECC_NIST_P384))
		return false;
	return has_algorithm(tpm, recipe->scheme) && has_algorithm(tpm, recipe->hash);
}

static void look_at_algorithms(struct doctor *doctor, struct tpm *tpm)
{
	const struct ak_recipe *recipe = doctor->wish.ak.recipe;

	if (recipe == NULL)
		recipe = ak_recipe_default;
	if (!can_make(tpm, recipe))
		SAY(doctor, FAIL, "it makes no AK of the kind %s: try another (--ak " AK_KINDS ")",
			recipe->name);
}

enum err doctor_open_tpm(const struct doctor *doctor, struct tpm **out)
{
	return tpm_open(&doctor->wish.access, out);
}

void doctor_tpm(struct doctor *doctor)
{
	AUTO(tpm_close) struct tpm *tpm = NULL;
	uint32_t family;

	if (doctor_open_tpm(doctor, &tpm) != OK) {
		SAY(doctor, FAIL, "%s: %s %s", access_text(&doctor->wish.access), why()->sentence,
			node_hint(doctor));
		return;
	}
	if (!property(tpm, TPM2_PT_FAMILY_INDICATOR, &family)) {
		SAY(doctor, FAIL,
			"%s answers, but not as a TPM 2.0: it was not started, is in failure mode "
			"or is a TPM 1.2",
			access_text(&doctor->wish.access));
		return;
	}
	doctor->has_tpm = true;
	say_who(doctor, tpm);
	look_at_slots(doctor, tpm);
	look_at_locks(doctor, tpm);
	look_at_hierarchies(doctor, tpm);
	look_at_algorithms(doctor, tpm);
}
