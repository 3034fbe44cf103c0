/* held.h - what the state directory holds, judged: may this machine go on with it? */
#pragma once

#include "enroll/agent/holding.h"

struct held {
	enum held_judgement judgement; /* of the worst of all */
	char problem[512]; /* why it is broken, "" otherwise */
	struct enrollment enrollment; /* zero when there is none that can be read */
	char serial[CERT_SERIAL_SIZE];
	int64_t valid_from; /* seconds since 1970 */
	int64_t valid_until; /* both: of the AK's own certificate */
	struct wanted wanted; /* what is kept */
	struct holding holdings[LIMIT_KEYS]; /* each of them, in that order */
};

/*
 * Reads and judges at `now`; the TPM is not asked. `anchors` NULL: the ones that are kept there.
 * All that is wrong with what is held is a judgement, not an error.
 */
void held_read(struct state *state, const struct anchors *anchors, int64_t now, struct held *out);

/* What the last enrollment wrote, for who can do nothing without: ERR_NOT_FOUND says what to do. */
CHECKED enum err held_enrollment(struct state *state, struct enrollment *out);

/*
 * The AK of an enrollment from the files beside it. `*out` is the caller's. Errors of
 * device_ak_read() and device_ak_public().
 */
CHECKED enum err held_ak(
	struct state *state, const struct enrollment *enrollment, struct device_ak **out);

/*
 * The EK of an enrollment, if device_ak_load() wants it of this AK; `*out`, the caller's, stays
 * NULL otherwise. Errors of device_ek_find().
 */
CHECKED enum err held_ek(struct tpm *tpm, const struct enrollment *enrollment,
	const struct device_ak *ak, enum ek_certificate certificate, struct device_ek **out);
