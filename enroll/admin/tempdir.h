/* tempdir.h - a directory of a command's own, with whatever it put there, for as long as it runs. */
#pragma once

#include "ca/base/err.h"

/*
 * Makes one (0700) in `below`; NULL: /tmp. `*out` is its path, for tempdir_remove(). ERR_INTERNAL
 * "file-write".
 */
CHECKED enum err tempdir_make(const char *below, char **out);

/* Removes it and all that is in it, and frees the path; for AUTO. Accepts NULL inside, leaves NULL behind. */
void tempdir_remove(char **dir);
