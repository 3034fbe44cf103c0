/* change.h - what a new snapshot changes, for log and admin, and what it may not change. */
#pragma once

#include "enroll/daemon/parts.h"
#include "enroll/proto/admin.h"

/* A service as it was, and as it is to be. */
struct change {
	const struct config *old_config, *config; /* the old one is that of the process's start */
	const struct service *old, *next;
};

/* A template that became another one under its old version is a problem: records name it by that. */
void change_judge(const struct change *change, struct problems *problems);

/* Fills `out` in: versions, changes, and as warnings what takes effect only with a restart, and a
 * CA that nobody speaks for any more. */
void change_tell(const struct change *change, struct reload_answer *out);
