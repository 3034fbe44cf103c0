/* status_print.h - a service's state, for a person at a terminal. */
#pragma once

#include "enroll/proto/status.h"

/* Appends it, with what to type next where something is wrong. */
void status_text(const struct status_answer *status, struct buf *out);
