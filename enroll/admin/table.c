#include "enroll/admin/table.h"

#include "ca/base/clock.h"
#include "ca/base/printable.h"

#include <stdio.h>
#include <string.h>

#define TEXT 1024

void table_row(struct buf *out, const struct table_cell *cells, size_t n)
{
	char text[TEXT];
	size_t column = 0;

	for (size_t i = 0; i < n; i++) {
		size_t width;

		printable(cells[i].text == NULL ? "" : cells[i].text, text, sizeof(text));
		if (text[0] == '\0')
			snprintf(text, sizeof(text), "-");
		width = strlen(text);
		if (i > 0 && column + 2 + width > PARAGRAPH_WIDTH) {
			buf_str(out, "\n    ");
			column = 4;
		} else if (i > 0) {
			buf_str(out, "  ");
			column += 2;
		}
		if (width < cells[i].width && i + 1 < n)
			width = cells[i].width;
		buf_fmt(out, "%-*s", (int)width, text);
		column += width;
	}
	buf_str(out, "\n");
}

void table_day(int64_t when, char out[static TABLE_DAY_SIZE])
{
	char text[CLOCK_TEXT_SIZE];

	out[0] = '\0';
	if (when == 0)
		return;
	clock_text(when, text);
	snprintf(out, TABLE_DAY_SIZE, "%.*s", TABLE_DAY_SIZE - 1, text);
}

void table_time_field(struct buf *out, const char *label, int64_t when)
{
	char text[CLOCK_TEXT_SIZE];

	if (when == 0)
		return;
	clock_text(when, text);
	paragraph_field(out, label, text);
}
