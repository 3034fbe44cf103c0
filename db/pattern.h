/* pattern.h - a name in which * stands for anything, for LIKE and for an index. Not for other folders. */
#pragma once

#include "ca/base/buf.h"

#define PATTERN_TEXT                                                                               \
	256 /* of a name of any length that a host name may have, and a bound's last byte */

/* Appends the pattern, in lower case, for LIKE ... ESCAPE '\': LIKE's own signs stand for themselves. */
CHECKED enum err pattern_add(struct buf *out, const char *name);

/*
 * Where in an index over names those are that may fit: from `from` up to, and without, `to`, byte by byte. With
 * `is_reversed` both are of the index over reversed names, for a pattern that begins with a star. An exact name
 * and "web-*" are a part of the index, "*" is all of it. Cut where the name is longer than names are.
 */
struct pattern_range {
	bool is_exact, is_reversed;
	bool is_whole; /* whatever lies between fits */
	char from[PATTERN_TEXT], to[PATTERN_TEXT];
};
void pattern_range(const char *name, struct pattern_range *out);
