/* because.h - has whoever does something said why? */
#pragma once

#include "ca/base/err.h"

/* Something that a person will be able to read in the audit. ERR_MALFORMED "why-missing". */
CHECKED enum err because_check(const char *why_text);
