/* json_usual.h - JSON texts as programs write them, read fast; for the files of this folder only. */
#pragma once

#include "ca/base/mem.h"

#include <jansson.h>

/*
 * The object that a text is, when its strings are of plain ASCII without escapes and its numbers are
 * whole and short: what jansson would make of it. NULL for every other text, good or bad, also one
 * with a key twice: jansson has the word on it. Recurses once for each bracket.
 */
json_t *json_usual_read(struct view text);
