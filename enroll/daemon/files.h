/* files.h - who can read and who can change what the configuration names. */
#pragma once

#include "enroll/daemon/config.h"
#include "enroll/proto/finding.h"

/*
 * Looks at the files as they are now: secrets that others can read, or that are not there any more;
 * files, and directories above them, that others can change.
 */
void files_examine(const char *path, const struct config *config, struct findings *findings);
