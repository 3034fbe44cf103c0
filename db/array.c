#include "db/array.h"

#include "ca/base/printable.h"

#define HEADER 20
#define PER_ELEMENT 4

/* pg_type's object ids, which never change. */
static const uint32_t type_of[] = {
	[ARRAY_BYTES] = 17, [ARRAY_TEXT] = 25, [ARRAY_INT] = 20, [ARRAY_UUID] = 2950};

static void add_be32(struct buf *buf, uint32_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_u8(buf, (uint8_t)(v >> shift));
}

void array_free(struct array *array)
{
	buf_free(&array->bytes);
}

/* The binary form that array_recv() reads: dimensions, flags, type, size, first index, elements. */
void array_begin(struct array *array, enum array_kind kind, size_t n, size_t limit)
{
	*array = (struct array){BUF(HEADER + n * PER_ELEMENT + limit), n};
	add_be32(&array->bytes, n == 0 ? 0 : 1);
	add_be32(&array->bytes, 0);
	add_be32(&array->bytes, type_of[kind]);
	if (n == 0)
		return;
	add_be32(&array->bytes, (uint32_t)n);
	add_be32(&array->bytes, 1);
}

void array_add(struct array *array, struct view element)
{
	if (array->missing == 0) {
		array->bytes.failed = true;
		return;
	}
	array->missing--;
	add_be32(&array->bytes, element.p == NULL ? UINT32_MAX : (uint32_t)element.n);
	if (element.p != NULL)
		buf_add(&array->bytes, element);
}

void array_add_prose(struct array *array, const char *text)
{
	char copy[PROSE_MAX + 1];

	if (text != NULL)
		printable(text, copy, sizeof(copy));
	array_add(array, view_str(text == NULL ? NULL : copy));
}

enum err array_value(const struct array *array, struct value *out)
{
	TRY(buf_ok(&array->bytes));
	if (array->missing > 0)
		return fail(
			ERR_INTERNAL, "database-array", "%zu elements are missing", array->missing);
	*out = value_bytes(buf_view(&array->bytes));
	return OK;
}
