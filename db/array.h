/* array.h - many values as one parameter: PostgreSQL's arrays. Not for other folders. */
#pragma once

#include "db/query.h"

/* bytea[], text[]; of 8 bytes, big-endian: bigint[]; of 16: uuid[] */
enum array_kind { ARRAY_BYTES, ARRAY_TEXT, ARRAY_INT, ARRAY_UUID };

/* An array of exactly `n` elements, to be added in their order. */
struct array {
	struct buf bytes;
	size_t missing; /* elements that are still to be added */
};
void array_free(struct array *array); /* for AUTO; accepts zeroes */
/* `limit`: bytes of all elements. */
void array_begin(struct array *array, enum array_kind kind, size_t n, size_t limit);
/* Bytes, or text as it is. A view whose pointer is NULL becomes NULL. */
void array_add(struct array *array, struct view element);
/* As value_prose(). */
void array_add_prose(struct array *array, const char *text);
/* ERR_TOO_LARGE "too-large" where `limit` was passed; ERR_INTERNAL where elements are missing. `*out` borrows. */
CHECKED enum err array_value(const struct array *array, struct value *out);
