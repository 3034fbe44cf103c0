/* attempts_print.h - refusals and counters, for a person at a terminal or for a program. */
#pragma once

#include "enroll/proto/attempts.h"
#include "enroll/proto/strangers.h"

enum print_form {
	PRINT_TEXT, /* a line of when, host and reason; below it, indented, why and what to do */
	PRINT_JSON, /* one object a line */
};

/* Each is written out whole at once, so that a pipe has it. ERR_INTERNAL "output" when nobody takes
 * it. What devices had a hand in is made printable. */
CHECKED enum err attempt_print(const struct attempt *attempt, enum print_form form);
CHECKED enum err stranger_print(const struct stranger *stranger, enum print_form form);
CHECKED enum err counters_print(const struct attempt_counters *counters, enum print_form form);
