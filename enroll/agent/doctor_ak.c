/* doctor_ak.c - the AK that an enrollment would bring: the one that is held, or a new one. */
#include "ca/base/clock.h"
#include "enroll/agent/doctor.h"

#define SLOW_MS 60000

#define SAY(doctor, level, ...)                                                                    \
	diagnosis_add(&(doctor)->diagnosis, FINDING_##level, "ak", __VA_ARGS__)

/* As an enrollment does. */
static enum err bring(struct doctor *doctor, struct tpm *tpm)
{
	struct attempt *a = &doctor->attempt;

	TRY(ak_find(tpm, &doctor->wish.ak, doctor->wish.service, doctor->state, &a->before, a->ek,
		&a->found));
	TRY(order_wanted(doctor->order, doctor->state, &a->wanted));
	return keys_find(tpm, &a->wanted, a->found.ak, doctor->state, false, &a->keys);
}

static void look(struct doctor *doctor, struct tpm *tpm)
{
	const struct ak_found *found = &doctor->attempt.found;
	int64_t began = clock_ms(), took;

	if (bring(doctor, tpm) != OK) {
		SAY(doctor, FAIL, "no AK for an enrollment: %s", why()->sentence);
		return;
	}
	doctor->has_ak = true;
	took = clock_ms() - began;
	if (found->is_new && doctor->held.judgement != HELD_NOTHING)
		SAY(doctor, WARN,
			"the AK that is held is not used, so an enrollment makes a new one");
	if (found->is_new)
		SAY(doctor, OK, "a %s AK (hierarchy: %s) was made in %lld ms, and is not kept",
			ak_recipe_text(found->ak->judged), device_ak_place(found->ak),
			(long long)took);
	else
		SAY(doctor, OK,
			"the %s AK that is held (hierarchy: %s) is this TPM's, for this service",
			ak_recipe_text(found->ak->judged), device_ak_place(found->ak));
	if (took > SLOW_MS)
		SAY(doctor, WARN,
			"that is slow: a ticket lives 300 seconds, in which the TPM makes the EK "
			"too");
}

void doctor_ak(struct doctor *doctor)
{
	AUTO(tpm_close) struct tpm *tpm = NULL;
	const struct ak_wish *wish = &doctor->wish.ak;

	if (!doctor->has_tpm || doctor_open_tpm(doctor, &tpm) != OK)
		SAY(doctor, SKIPPED, "not looked at: there is no TPM");
	else if (doctor->wish.service == NULL)
		SAY(doctor, SKIPPED,
			"not looked at: an AK is made for one service, so give --server");
	else if (doctor->attempt.ek == NULL && wish->has_hierarchy &&
		 wish->hierarchy == AK_BELOW_EK)
		SAY(doctor, SKIPPED, "not looked at: there is no EK to make it below");
	else
		look(doctor, tpm);
}
