/* enroll.h - what `endorse enroll` and `endorse renew` have in common. */
#pragma once

#include "enroll/agent/held.h"
#include "enroll/agent/order.h"

/*
 * Enrolls, whatever is held, installs what is issued, runs the commands that take it over, and
 * tells what came of it. Errors of attempt_run(), install() and hooks_run().
 */
CHECKED enum err enroll_again(const struct order *order, const struct wanted *wanted,
	struct state *state, struct anchors *anchors, const struct held *held);

/*
 * Does the TPM still have the AK that is held? Says so when not. Errors of device_ek_find(), and of
 * device_ak_load() but for those that are the answer.
 */
CHECKED enum err enroll_ask_tpm(
	const struct order *order, struct state *state, const struct held *held, bool *is_there);

/* Commands that failed before are run again, and new ones kept. Errors of hooks_run(). */
CHECKED enum err enroll_run_commands(
	struct state *state, struct wanted *wanted, const struct held *held);

/* One line for a failure, on standard error. */
void enroll_tell_failure(const struct order *order, const struct reason *reason);
