/* ownname.h - the name that this machine asks to be certified under. */
#pragma once

#include "ca/base/hostname.h"

/* `name` in lower case, checked by hostname_check(). ERR_MALFORMED "usage". */
CHECKED enum err ownname_read(const char *name, char out[static HOSTNAME_MAX + 1]);

/*
 * This machine's full name, from gethostname(2) or, where that has one label only, from the
 * resolver. ERR_INTERNAL "usage" when there is none with two labels.
 */
CHECKED enum err ownname_find(char out[static HOSTNAME_MAX + 1]);
