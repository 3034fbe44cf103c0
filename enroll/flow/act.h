/* act.h - what an admin does has a reason, which the audit keeps. */
#pragma once

#include "db/host.h"
#include "enroll/flow/service.h"

/* Something that a person will be able to read in the audit. ERR_MALFORMED "why-missing". */
CHECKED enum err act_reason_check(const char *reason);

/*
 * What the audit keeps of an act of `who`; everything is borrowed. ERR_MALFORMED "why-missing" for a
 * reason without a word in it; those of service_clock().
 */
CHECKED enum err act_make(const struct service *service, const struct caller *caller,
	const char *who, const char *reason, struct act *out);
