/* pending_print.h - attempts that are held, for a person who is to decide, or for a program. */
#pragma once

#include "enroll/admin/attempts_print.h"
#include "enroll/proto/pending.h"

/* A few lines of one; as PRINT_JSON one object a line. ERR_INTERNAL "output". */
CHECKED enum err waiting_print(const struct waiting *waiting, enum print_form form);
/* All of it with its evidence, and what each decision would mean. */
CHECKED enum err waiting_print_all(const struct waiting *waiting, enum print_form form);
