#include "enroll/admin/csv.h"

#include <string.h>

static const uint8_t byte_order_mark[] = {0xef, 0xbb, 0xbf};

void csv_begin(struct view text, struct csv *csv)
{
	*csv = (struct csv){text, 1};
	if (text.n >= sizeof(byte_order_mark) &&
		memcmp(text.p, byte_order_mark, sizeof(byte_order_mark)) == 0) {
		csv->rest.p += sizeof(byte_order_mark);
		csv->rest.n -= sizeof(byte_order_mark);
	}
}

void csv_record_free(struct csv_record *record)
{
	buf_free(&record->text);
}

static enum err malformed(const char *what)
{
	return fail(ERR_MALFORMED, "csv", "%s", what);
}

/* The next byte; -1 at the end. */
static int peek(const struct csv *csv)
{
	return csv->rest.n == 0 ? -1 : csv->rest.p[0];
}

static void step(struct csv *csv)
{
	csv->line += csv->rest.p[0] == '\n';
	csv->rest.p++;
	csv->rest.n--;
}

/* Passes over the end of a line; true at the end of the text too. */
static bool is_line_end(struct csv *csv)
{
	if (peek(csv) == '\r' && csv->rest.n > 1 && csv->rest.p[1] == '\n')
		step(csv);
	if (peek(csv) == '\n')
		step(csv);
	else if (peek(csv) != -1)
		return false;
	return true;
}

static enum err read_quoted(struct csv *csv, struct buf *out)
{
	step(csv);
	for (;;) {
		int c = peek(csv);

		if (c == -1)
			return malformed("a quote is opened and never closed");
		if (c == '\0')
			return malformed("a byte that is NUL");
		step(csv);
		if (c != '"') {
			buf_u8(out, (uint8_t)c);
			continue;
		}
		if (peek(csv) != '"')
			return OK;
		step(csv);
		buf_u8(out, '"');
	}
}

static enum err read_plain(struct csv *csv, struct buf *out)
{
	for (int c; (c = peek(csv)) != -1 && c != ',' && c != '\n'; step(csv)) {
		if (c == '\r' && csv->rest.n > 1 && csv->rest.p[1] == '\n')
			break;
		if (c == '"')
			return malformed("a quote within a field that does not begin with one");
		if (c == '\0' || c == '\r')
			return malformed("a byte that is NUL, or CR without LF");
		buf_u8(out, (uint8_t)c);
	}
	return OK;
}

/* Fields are kept one after another, each with a NUL: pointers are set when all are there. */
static enum err read_fields(struct csv *csv, struct csv_record *out)
{
	for (;;) {
		if (out->n == CSV_FIELDS)
			return malformed("too many fields");
		TRY(peek(csv) == '"' ? read_quoted(csv, &out->text) : read_plain(csv, &out->text));
		buf_u8(&out->text, '\0');
		out->n++;
		if (buf_ok(&out->text) != OK)
			return malformed("more than 64 KiB in one record");
		if (is_line_end(csv))
			return OK;
		if (peek(csv) != ',')
			return malformed("something between a closing quote and the next comma");
		step(csv);
	}
}

static void set_fields(struct csv_record *out)
{
	const char *at = buf_text(&out->text);

	for (size_t i = 0; i < out->n; i++) {
		out->field[i] = at;
		at += strlen(at) + 1;
	}
}

static void pass_line(struct csv *csv)
{
	while (!is_line_end(csv))
		step(csv);
}

bool csv_next(struct csv *csv, struct csv_record *out, enum err *err)
{
	struct csv begin;

	while (csv->rest.n > 0 && is_line_end(csv))
		;
	*out = (struct csv_record){.line = csv->line, .text = BUF(CSV_RECORD)};
	*err = OK;
	if (csv->rest.n == 0)
		return false;
	begin = *csv;
	if ((*err = read_fields(csv, out)) == OK) {
		set_fields(out);
		return true;
	}
	/* A quote that was opened may have taken all lines up to the end with it. */
	*csv = begin;
	pass_line(csv);
	return true;
}
