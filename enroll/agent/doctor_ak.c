/* doctor_ak.c - the AK that an enrollment would bring: the one that is held, or a new one. */
#include "enroll/agent/doctor.h"

#define SLOW_MS 60000

#define SAY(doctor, kind, ...)                                                                     \
	diagnosis_add(&(doctor)->diagnosis, DIAGNOSIS_##kind, "ak", __VA_ARGS__)

/* A key that is of no use makes way for a new one, as in an enrollment. */
static void try_held(struct doctor *doctor, struct tpm *tpm, const char *name)
{
	AUTO(device_ak_free) struct device_ak *ak = NULL;
	AUTO(loaded_flush) struct loaded key = LOADED(tpm);
	const char *path = state_path(doctor->state, name);
	enum err err = device_ak_read(path, doctor->wish.service, &ak);

	if (err == ERR_NOT_FOUND)
		return;
	if (err == OK)
		err = device_ak_load(tpm, ak, &key);
	if (err != OK) {
		SAY(doctor, WARN, "%s is not used: %s", path, why()->sentence);
		return;
	}
	if (!doctor->wish.any_ak && ak_kind(ak->judged) != doctor->wish.ak)
		return;
	SAY(doctor, OK, "%s: a %s key, made in this TPM for this service", path,
		key_kind_text(ak_kind(ak->judged)));
	doctor->attempt.ak = MOVE(ak);
}

static void make(struct doctor *doctor, struct tpm *tpm)
{
	const char *kind = key_kind_text(doctor->wish.ak);
	int64_t began = doctor_ms(), took;

	if (device_ak_create(tpm, doctor->wish.ak, doctor->wish.service, &doctor->attempt.ak) !=
		OK) {
		SAY(doctor, FAIL, "no %s AK can be made: %s", kind, why()->sentence);
		return;
	}
	took = doctor_ms() - began;
	SAY(doctor, OK, "a %s AK was made in %lld ms, and is not kept", kind, (long long)took);
	if (took > SLOW_MS)
		SAY(doctor, WARN,
			"that is slow: a ticket lives 300 seconds, in which the TPM makes the EK "
			"too");
}

void doctor_ak(struct doctor *doctor)
{
	static const char *const names[] = {STATE_AK_KEY_NEW, STATE_AK_KEY};
	AUTO(tpm_close) struct tpm *tpm = NULL;

	if (!doctor->has_tpm || doctor_open_tpm(doctor, &tpm) != OK) {
		SAY(doctor, SKIPPED, "not looked at: there is no TPM");
		return;
	}
	if (doctor->wish.service == NULL) {
		SAY(doctor, SKIPPED,
			"not looked at: an AK is made for one service, so give --server");
		return;
	}
	for (size_t i = 0; doctor->state != NULL && i < COUNT(names); i++)
		if (doctor->attempt.ak == NULL)
			try_held(doctor, tpm, names[i]);
	if (doctor->attempt.ak == NULL)
		make(doctor, tpm);
	doctor->has_ak = doctor->attempt.ak != NULL;
}
