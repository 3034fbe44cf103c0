/* accepted.h - what a service issued, after this device found that it is what it asked for. */
#pragma once

#include "enroll/agent/ak.h"
#include "enroll/agent/anchor.h"
#include "enroll/proto/answer.h"

/* Only accepted_check() makes one: every certificate leads to an anchor and is for the AK. */
struct accepted {
	struct answer *answer;
	STACK_OF(X509) *certificates; /* in the order of the answer's */
	STACK_OF(X509) *intermediates;
	int ak; /* which of the certificates is the AK's own */
};

/*
 * Checks an answer: its host is `host`, or any host's name when that is NULL; every certificate has the AK's key, leads to an anchor
 * through the answer's intermediates, names no other host, and where it names the device
 * (permanentIdentifier, RFC 4043) says the answer's device_id. ERR_DENIED "service-not-trusted";
 * ERR_MALFORMED "service-answer". Takes `*answer` over, also on failure. `*out` is the caller's,
 * for accepted_free().
 */
CHECKED enum err accepted_check(struct answer **answer, const struct anchors *anchors,
	const struct device_ak *ak, const char *host, struct accepted **out);
void accepted_free(struct accepted **accepted);
