/* json_text.h - the compact text of a JSON value that we made, for the files of this folder only. */
#pragma once

#include "ca/base/buf.h"

#include <jansson.h>

/* How many bytes at the beginning stand for themselves between quotes: plain ASCII but for '"' and '\\'. */
size_t json_plain(struct view text);

/*
 * Appends the value as RFC 8259 has it, without white space, in ASCII, members in the order in which
 * they were put. False when there is no memory: then a part of it was appended.
 */
bool json_text_add(const json_t *value, struct buf *out);
