/* wish.h - what an admin asked for in the query of a URL, read; texts are as they were sent, NULL: not sent. */
#pragma once

#include "ca/base/buf.h"

#include <stdint.h>

/* Each leaves `out` as it is for NULL; ERR_MALFORMED "query-value", which names the parameter. */

/* Decimal digits, from `min` to `max`. */
CHECKED enum err wish_number(
	const char *name, const char *text, int64_t min, int64_t max, int64_t *out);
/* Exactly 2 * n hexadecimal digits; `*given` becomes `out`. */
CHECKED enum err wish_bytes(
	const char *name, const char *text, uint8_t *out, size_t n, const uint8_t **given);
/* A serial number of 1 to `room` bytes, in hexadecimal, with or without colons; its size to `n`. */
CHECKED enum err wish_serial(const char *text, uint8_t *out, size_t room, size_t *n);
/* One of `words`, which end with NULL; its place to `out`. */
CHECKED enum err wish_word(
	const char *name, const char *text, const char *const *words, size_t *out);
/* "yes". */
CHECKED enum err wish_flag(const char *name, const char *text, bool *out);
