/* pattern.h - patterns of host names. */
#pragma once

#include "ca/base/err.h"

#include <stdbool.h>

enum pattern_kind {
	PATTERN_EXACT, /* "web-01.example.org" */
	PATTERN_SUFFIX, /* "example.org": any name below it, not itself */
	PATTERN_GLOB, /* "web-*.example.org": * stands for letters, digits and hyphens, never for a
			 dot */
};

/* Does the name match? Both are lower case. Linear in the name for each star. */
bool pattern_match(enum pattern_kind kind, const char *pattern, const char *name);

/* NULL, or what is wrong with a pattern. */
const char *pattern_problem(enum pattern_kind kind, const char *pattern);
