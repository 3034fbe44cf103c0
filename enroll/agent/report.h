/* report.h - what a person is told: what was proven and issued, or what was refused and what to do. */
#pragma once

#include "enroll/agent/attempt.h"
#include "enroll/agent/held.h"

#include <stdio.h>

/* After install(). */
void report_enrolled(FILE *out, const struct attempt *attempt);

/* After "service-refused". */
void report_refusal(FILE *out, const struct attempt *attempt);

/* What is held needs nothing done. */
void report_held(FILE *out, struct state *state, const struct held *held);

/* After a renewal: what is new, and for what key. */
void report_renewed(FILE *out, const struct attempt *attempt);
/* After "service-refused" to one. */
void report_renewal_refused(FILE *out, const struct attempt *attempt);
/* Nothing is due before `next`, when `which` of the held is. */
void report_not_due(FILE *out, const struct held *held, size_t which, int64_t next);

/* What to do about a refusal with this code; "" when its detail says it all. */
const char *refusal_advice(const char *code);
