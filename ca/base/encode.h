/* encode.h - bytes as text and back: base64 (RFC 4648 4) and lower-case hexadecimal. */
#pragma once

#include "ca/base/buf.h"

/* Appends the padded base64 of `bytes`. */
void base64_add(struct buf *out, struct view bytes);

/*
 * Appends what `text` encodes. Only the canonical form is taken (RFC 4648 3.5, 3.3): no white
 * space, padding where it belongs, pad bits zero. ERR_MALFORMED "base64".
 */
CHECKED enum err base64_read(struct view text, struct buf *out);

/* Appends two lower-case digits for each byte. */
void hex_add(struct buf *out, struct view bytes);
/* `text` gets 2 * bytes.n digits and a NUL. */
void hex_write(struct view bytes, char *text);
/* Reads exactly 2 * n hexadecimal digits of either case; ERR_MALFORMED "hex" otherwise. */
CHECKED enum err hex_read(struct view text, uint8_t *out, size_t n);
