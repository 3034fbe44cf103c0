/* holding.h - one certificate in the state directory, judged. */
#pragma once

#include "ca/base/cert.h"
#include "ca/base/crypt.h"
#include "enroll/agent/ak.h"
#include "enroll/agent/anchor.h"
#include "enroll/agent/state.h"

/* From the worst to the best of what is there. */
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

struct holding {
	enum held_judgement judgement;
	char problem[384]; /* why it is broken, "" otherwise */
	bool is_ssh;
	bool is_for_host; /* of OpenSSH */
	char serial[CERT_SERIAL_SIZE]; /* "" when there is no certificate; decimal for OpenSSH's */
	int64_t valid_from; /* seconds since 1970 */
	int64_t valid_until;
	uint8_t digest[SHA256_SIZE]; /* of the certificate */
};

/*
 * Reads and judges the certificate of `want` at `now`; the TPM is not asked. All that is wrong is a
 * judgement, not an error; a certificate that is not there is broken.
 */
void holding_read(struct state *state, const struct want *want, const struct device_ak *ak,
	const struct anchors *anchors, int64_t now, struct holding *out);

/* Good or due, or what its dates make of it. */
enum held_judgement holding_dates(int64_t from, int64_t until, int64_t now);
