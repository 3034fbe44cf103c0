/* jsontext.h - writing JSON objects of strings, truth values and lists of such objects (RFC 8259),
 * nothing more. */
#pragma once

#include "ca/base/buf.h"

/*
 * jsontext_begin(), members in their order, jsontext_end(); errors show in buf_ok(). Bytes that are
 * no well-formed UTF-8 (RFC 3629) are written as U+FFFD.
 */
void jsontext_begin(struct buf *out);
void jsontext_string(struct buf *out, const char *name, const char *value); /* NULL: null */
void jsontext_bool(struct buf *out, const char *name, bool value);
/*
 * A member that is a list: between the two, objects of their own between jsontext_item() and
 * jsontext_item_end().
 */
void jsontext_list(struct buf *out, const char *name);
void jsontext_list_end(struct buf *out);
void jsontext_item(struct buf *out);
void jsontext_item_end(struct buf *out);
void jsontext_end(struct buf *out);
