#include "enroll/flow/listing.h"

#include <stdio.h>
#include <string.h>

static void put(
	const struct found_column *column, const struct found_cell *cell, struct record *out)
{
	switch (column->kind) {
	case FOUND_TEXT:
		record_put_text(out, column->name, cell->text);
		break;
	case FOUND_NUMBER:
		record_put_number(out, column->name, cell->number);
		break;
	case FOUND_FLAG:
		record_put_flag(out, column->name, cell->number != 0);
		break;
	case FOUND_JSON:
		record_put_json(out, column->name, cell->text);
		break;
	}
}

static void fill(const struct found *found, size_t row, const char *but, struct record *out)
{
	for (size_t i = 0; i < found->columns; i++) {
		const struct found_cell *cell = found_cell(found, row, i);

		if (cell->text != NULL && (but == NULL || strcmp(but, found->column[i].name) != 0))
			put(&found->column[i], cell, out);
	}
}

enum err listing_record(const struct found *found, size_t row, const char *but, struct record **out)
{
	TRY(record_new(out));
	fill(found, row, but, *out);
	return OK;
}

enum err listing_make(const struct found *found, struct record_list *out)
{
	TRY(record_list_init(out, found->n));
	for (size_t row = 0; row < found->n; row++)
		fill(found, row, NULL, out->items[row]);
	snprintf(out->next, sizeof(out->next), "%s", found->next);
	return OK;
}

const char *listing_text(const struct found *found, size_t row, const char *column)
{
	for (size_t i = 0; i < found->columns; i++)
		if (strcmp(found->column[i].name, column) == 0)
			return found_cell(found, row, i)->text;
	return NULL;
}
