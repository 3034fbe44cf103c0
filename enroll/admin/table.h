/* table.h - a row of a list: cells under each other, in lines of PARAGRAPH_WIDTH. */
#pragma once

#include "enroll/admin/paragraph.h"

#include <stdint.h>

struct table_cell {
	const char *text; /* made printable; "" becomes "-" */
	unsigned width; /* 0: the last one, which goes to a line of its own when it does not fit */
};
void table_row(struct buf *out, const struct table_cell *cells, size_t n);
#define TABLE_ROW(out, ...)                                                                        \
	table_row(out, (const struct table_cell[]){__VA_ARGS__},                                   \
		COUNT(((const struct table_cell[]){__VA_ARGS__})))

#define TABLE_DAY_SIZE 11
/* "2026-11-22"; 0 is "". */
void table_day(int64_t when, char out[static TABLE_DAY_SIZE]);
/* paragraph_field() of a moment; nothing for 0. */
void table_time_field(struct buf *out, const char *label, int64_t when);
