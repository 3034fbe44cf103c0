/* allow_print.h - the allow-list and what became of its entries, for a person or for a program. */
#pragma once

#include "enroll/admin/attempts_print.h"
#include "enroll/proto/allow.h"

/* One line or two of an entry; as PRINT_JSON one object a line. ERR_INTERNAL "output". */
CHECKED enum err allow_item_print(const struct allow_item *item, enum print_form form);
/* What a fate that keeps an entry out means, and what to do; NULL for the others. */
const char *allow_fate_sentence(enum allow_fate fate);
