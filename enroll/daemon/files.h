/* files.h - who can read and who can change what the configuration names. */
#pragma once

#include "enroll/daemon/config.h"
#include "enroll/proto/finding.h"

/*
 * Looks at the files as they are now: secrets that others can read, also the database's password in
 * the configuration, or that are not there any more; files, those in the directories of templates and
 * roots too, and the directories and links that lead to them, that others can change.
 */
void files_examine(const char *path, const struct config *config, struct findings *findings);
