/* exit.h - the exit codes of endorse, documented in endorse(1). */
#pragma once

#include "ca/base/err.h"

enum exit_code {
	EXIT_DONE = 0, /* what was asked for is so */
	EXIT_LOCAL = 1, /* something on this machine, mostly the state directory */
	EXIT_USAGE = 2,
	EXIT_TPM = 3,
	EXIT_AWAY = 4, /* the service did not answer in time, after the retries */
	EXIT_REFUSED = 5, /* the service refused, or what it answered cannot be used */
	EXIT_UNTRUSTED = 6, /* the service, or what it issued, does not lead to an anchor */
	EXIT_NOTHING = 7, /* status: nothing valid is held */
	EXIT_PENDING = 8, /* the service holds the attempt until an admin decides: ask again */
	EXIT_UNLINKED = 9, /* link-check, skae-check: it is not what it says */
};

/*
 * The exit code for a failure, by its reason code: "usage", "tpm...", "service-away",
 * "service-refused", "service-answer", "service-not-trusted", "service-pending", "host-changed",
 * "krl-older", "endpoint-away", "location-away"; EXIT_LOCAL for every other.
 */
int exit_code(const struct reason *reason);

/* Tells people this thread's last failure; its exit code. */
int exit_failed(void);
