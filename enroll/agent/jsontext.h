/* jsontext.h - writing JSON objects of strings and truth values (RFC 8259), nothing more. */
#pragma once

#include "ca/base/buf.h"

/*
 * jsontext_begin(), members in their order, jsontext_end(); errors show in buf_ok(). Bytes that are
 * no well-formed UTF-8 (RFC 3629) are written as U+FFFD.
 */
void jsontext_begin(struct buf *out);
void jsontext_string(struct buf *out, const char *name, const char *value); /* NULL: null */
void jsontext_bool(struct buf *out, const char *name, bool value);
void jsontext_end(struct buf *out);
