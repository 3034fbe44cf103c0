/* paragraph.h - text for a terminal: filled into lines, and written out whole. */
#pragma once

#include "ca/base/buf.h"

#define PARAGRAPH_WIDTH 100

/* Appends `lead` and then the words of `text`, in lines that go on below the lead's blanks and its mark. */
void paragraph_add(struct buf *out, const char *lead, const char *text);
/* The same, but that lines go on below the first `indent` bytes of `lead`. */
void paragraph_hang(struct buf *out, const char *lead, size_t indent, const char *text);
/* "label      value", indented by two and aligned; nothing for "". */
void paragraph_field(struct buf *out, const char *label, const char *value);
/* Writes it to standard output at once. ERR_INTERNAL "output". */
CHECKED enum err paragraph_put(const struct buf *text);
