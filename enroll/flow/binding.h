/* binding.h - may this device have this name, by what the records and the policy say? */
#pragma once

#include "db/enrollment.h"
#include "enroll/flow/judgement.h"
#include "policy/policy.h"

/*
 * Judges a device that proved itself against the records, then by policy. Nothing is written.
 * Errors as enroll.h lists them under "records" and "policy".
 */
CHECKED enum err binding_judge(const struct service *service, const struct judgement *judgement,
	const struct enrollment_facts *facts, const char *template, struct decision *out);
