#include "db/found.h"

#include "ca/base/mem.h"
#include "db/found_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HIDDEN 3
enum { LOOKED, LAST, KEY };

/* PostgreSQL's own numbers of types: src/include/catalog/pg_type.dat. */
enum { TYPE_BOOL = 16, TYPE_INT8 = 20, TYPE_JSON = 114 };

void found_free(struct found *found)
{
	free(found->cells);
	free(found->texts);
	*found = (struct found){0};
}

static enum found_kind kind_of(const PGresult *rows, int column)
{
	switch (PQftype(rows, column)) {
	case TYPE_BOOL:
		return FOUND_FLAG;
	case TYPE_INT8:
		return FOUND_NUMBER;
	case TYPE_JSON:
		return FOUND_JSON;
	default:
		return FOUND_TEXT;
	}
}

static bool is_text(enum found_kind kind)
{
	return kind == FOUND_TEXT || kind == FOUND_JSON;
}

/* Bytes of all texts, each with its NUL; those that are none point to a NUL of their own. */
static size_t room(const PGresult *rows, int first, int n)
{
	size_t sum = 1;

	for (int row = 0; row < n; row++)
		for (int column = first; column < PQnfields(rows); column++)
			sum += row_bytes(rows, row, column).n + 1;
	return sum;
}

static void take_cell(const PGresult *rows, int row, int column, enum found_kind kind,
	struct found_cell *cell, char **at)
{
	struct view bytes = row_bytes(rows, row, column);

	if (bytes.p == NULL)
		return;
	cell->text = *at;
	if (is_text(kind)) {
		memcpy(*at, bytes.p, bytes.n);
		*at += bytes.n;
	}
	*(*at)++ = '\0';
	if (kind == FOUND_NUMBER)
		cell->number = row_int(rows, row, column);
	if (kind == FOUND_FLAG)
		cell->number = row_bool(rows, row, column);
}

static enum err take_cells(const PGresult *rows, int first, int n, struct found *out)
{
	int columns = PQnfields(rows) - first;
	char *at;

	if (columns < 1 || columns > FOUND_COLUMNS)
		return fail(ERR_INTERNAL, "database-error", "%d columns", columns);
	out->columns = (size_t)columns;
	out->cells = calloc((size_t)(n * columns) + 1, sizeof(*out->cells));
	out->texts = at = malloc(room(rows, first, n));
	if (out->cells == NULL || at == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "found_take");
	for (int column = 0; column < columns; column++) {
		struct found_column *shown = &out->column[column];

		snprintf(shown->name, sizeof(shown->name), "%s", PQfname(rows, first + column));
		shown->kind = kind_of(rows, first + column);
		for (int row = 0; row < n; row++)
			take_cell(rows, row, first + column, shown->kind,
				&out->cells[row * columns + column], &at);
	}
	out->n = (size_t)n;
	return OK;
}

enum err found_take(const PGresult *rows, void *into)
{
	return take_cells(rows, 0, PQntuples(rows), into);
}

/* A full page ends where its last row is; one that is not, where the stretch did, if that was cut. */
static void take_next(const PGresult *rows, int n, const struct found_page *page)
{
	char *next = page->found->next;

	if (n > 0 && (size_t)n == page->limit)
		row_text(rows, n - 1, KEY, next, FOUND_CURSOR);
	else if (row_int(rows, 0, LOOKED) >= page->stretch)
		row_text(rows, 0, LAST, next, FOUND_CURSOR);
}

enum err found_take_page(const PGresult *rows, void *into)
{
	const struct found_page *page = into;
	int n = PQntuples(rows);

	if (n < 1 || PQnfields(rows) <= HIDDEN)
		return fail(ERR_INTERNAL, "database-error", "a list without its ends");
	if (row_is_null(rows, 0, KEY))
		n = 0;
	TRY(take_cells(rows, HIDDEN, n, page->found));
	take_next(rows, n, page);
	return OK;
}
