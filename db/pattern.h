/* pattern.h - a name in which * stands for anything, for LIKE. Not for other folders. */
#pragma once

#include "ca/base/buf.h"

/* Appends the pattern, in lower case, for LIKE ... ESCAPE '\': LIKE's own signs stand for themselves. */
CHECKED enum err pattern_add(struct buf *out, const char *name);
