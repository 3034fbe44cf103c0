/* held.h - what the state directory holds, judged: may this machine go on with it? */
#pragma once

#include "ca/base/cert.h"
#include "enroll/agent/ak.h"
#include "enroll/agent/anchor.h"
#include "enroll/agent/state.h"

enum held_judgement {
	HELD_NOTHING, /* never enrolled here */
	HELD_BROKEN, /* files that do not fit together or do not lead to an anchor */
	HELD_EARLY, /* not valid yet: somebody's clock is wrong */
	HELD_EXPIRED,
	HELD_DUE, /* valid, less than a third of its life left */
	HELD_GOOD,
};
/* "nothing", "broken", "not-yet-valid", "expired", "due", "good". */
const char *held_text(enum held_judgement judgement);

struct held {
	enum held_judgement judgement;
	char problem[512]; /* why it is broken, "" otherwise */
	struct enrollment enrollment; /* zero when there is none that can be read */
	char serial[CERT_SERIAL_SIZE];
	int64_t valid_from; /* seconds since 1970 */
	int64_t valid_until;
};

/*
 * Reads and judges at `now`; the TPM is not asked. `anchors` NULL: the ones that are kept there.
 * All that is wrong with what is held is a judgement, not an error.
 */
void held_read(struct state *state, const struct anchors *anchors, int64_t now, struct held *out);

/*
 * The AK of an enrollment from the files beside it. `*out` is the caller's. Errors of
 * device_ak_read() and device_ak_public().
 */
CHECKED enum err held_ak(
	struct state *state, const struct enrollment *enrollment, struct device_ak **out);
