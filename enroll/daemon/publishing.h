/* publishing.h - a thread that publishes what was revoked, soon after it was. */
#pragma once

#include "enroll/flow/current.h"

struct publishing;

/*
 * Begins a thread that looks several times a second whether a CRL is to be made, and makes it. A
 * snapshot that is new is settled first, see publication_settle(). Logs "publishing.failed" when what
 * is wrong changes, and "publishing.works" when nothing is any more. `current` is borrowed until
 * publishing_stop(). ERR_INTERNAL "thread".
 */
CHECKED enum err publishing_start(struct current *current, struct publishing **out);
/* Waits for what it is making just now. Accepts NULL inside, leaves NULL behind. */
void publishing_stop(struct publishing **publishing);
