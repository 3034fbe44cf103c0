#include "enroll/proto/json_text.h"

#include <string.h>

#define BLOCK 32 /* bytes that the compiler looks at together */

static bool is_odd_byte(uint8_t c)
{
	return (c < ' ') | (c > '~') | (c == '"') | (c == '\\');
}

static bool is_plain_block(const uint8_t text[static BLOCK])
{
	uint8_t odd = 0;

	for (size_t i = 0; i < BLOCK; i++)
		odd |= is_odd_byte(text[i]);
	return odd == 0;
}

size_t json_plain(struct view text)
{
	size_t n = 0;

	while (text.n - n >= BLOCK && is_plain_block(text.p + n))
		n += BLOCK;
	while (n < text.n && !is_odd_byte(text.p[n]))
		n++;
	return n;
}

static bool is_plain(const char *text, size_t n)
{
	return json_plain((struct view){(const uint8_t *)text, n}) == n;
}

static bool add_by_jansson(const json_t *value, struct buf *out)
{
	AUTO(mem_free)
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);

	if (text != NULL)
		buf_str(out, text);
	return text != NULL;
}

static void add_quoted(const char *text, size_t n, struct buf *out)
{
	buf_u8(out, '"');
	buf_add(out, (struct view){(const uint8_t *)text, n});
	buf_u8(out, '"');
}

/* Most of an answer is base64: jansson would look at each character as if it were of any language. */
static bool add_string(const json_t *string, struct buf *out)
{
	const char *text = json_string_value(string);
	const size_t n = json_string_length(string);

	if (!is_plain(text, n))
		return add_by_jansson(string, out);
	add_quoted(text, n, out);
	return true;
}

static bool add_key(const char *key, struct buf *out)
{
	json_t *string;
	bool added;

	if (is_plain(key, strlen(key))) {
		add_quoted(key, strlen(key), out);
		return true;
	}
	string = json_string(key);
	added = string != NULL && add_by_jansson(string, out);
	json_decref(string);
	return added;
}

static bool add_object(const json_t *object, struct buf *out)
{
	const char *key, *before = "{";
	json_t *value;

	json_object_foreach ((json_t *)object, key, value) {
		buf_str(out, before);
		before = ",";
		if (!add_key(key, out))
			return false;
		buf_u8(out, ':');
		if (!json_text_add(value, out))
			return false;
	}
	buf_str(out, json_object_size(object) == 0 ? "{}" : "}");
	return true;
}

static bool add_array(const json_t *array, struct buf *out)
{
	json_t *value;
	size_t i;

	buf_u8(out, '[');
	json_array_foreach (array, i, value) {
		if (i > 0)
			buf_u8(out, ',');
		if (!json_text_add(value, out))
			return false;
	}
	buf_u8(out, ']');
	return true;
}

bool json_text_add(const json_t *value, struct buf *out)
{
	if (json_is_object(value))
		return add_object(value, out);
	if (json_is_array(value))
		return add_array(value, out);
	return json_is_string(value) ? add_string(value, out) : add_by_jansson(value, out);
}
