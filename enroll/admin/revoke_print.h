/* revoke_print.h - what an act of revocation reached, who sees it from when, and what is left to do by hand. */
#pragma once

#include "enroll/admin/attempts_print.h"
#include "enroll/proto/revocation.h"

/* For a person, or as PRINT_JSON one object a line. ERR_INTERNAL "output". */
CHECKED enum err revocation_print(const struct revocation_answer *answer, enum print_form form);
