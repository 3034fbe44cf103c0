/* doctor.h - a look at the service before anything fails. */
#pragma once

#include "enroll/flow/service.h"
#include "enroll/proto/finding.h"

/*
 * Adds what is found at `now`: database, CA certificates and key, templates, trusted roots, policy, held attempts,
 * ticket key, and what service->examine adds of its own. `is_running`: it serves; else it is looked at before it
 * starts, which brings the schema. Never fails: what cannot be looked at is a finding.
 */
void doctor_examine(
	const struct service *service, bool is_running, int64_t now, struct findings *findings);
