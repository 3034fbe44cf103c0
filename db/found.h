/* found.h - rows of the records as people are shown them: named values, and where to go on. */
#pragma once

#include "ca/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FOUND_COLUMNS 24
#define FOUND_NAME 32
#define FOUND_CURSOR 384
#define FOUND_STRETCH 5000 /* rows that one call looks at, at most */

enum found_kind {
	FOUND_TEXT,
	FOUND_NUMBER,
	FOUND_FLAG,
	FOUND_JSON, /* a text that is a JSON value */
};

struct found_cell {
	const char
		*text; /* of FOUND_TEXT and FOUND_JSON; NULL: there is nothing, whatever the kind */
	int64_t number;
};

struct found {
	struct found_column {
		char name[FOUND_NAME]; /* "device_id" */
		enum found_kind kind;
	} column[FOUND_COLUMNS];
	size_t columns, n;
	struct found_cell *cells; /* n rows of `columns` each */
	char *texts; /* what they point into */
	char next[FOUND_CURSOR]; /* what to go on from; "": that was all */
};
void found_free(struct found *found); /* for AUTO; accepts zeroes */
static inline const struct found_cell *found_cell(
	const struct found *found, size_t row, size_t column)
{
	return &found->cells[row * found->columns + column];
}
