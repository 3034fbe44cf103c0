#include "enroll/proto/json.h"

#include "ca/base/encode.h"
#include "ca/base/printable.h"
#include "enroll/proto/json_text.h"
#include "enroll/proto/json_usual.h"
#include "enroll/proto/limits.h"

#include <stdio.h>
#include <string.h>

void json_free(json_t **json)
{
	json_decref(*json);
	*json = NULL;
}

/*
 * Before the parser sees it: jansson recurses once for each bracket, up to 2048 deep, and a web
 * server's threads have small stacks; and each object takes a hundred times the memory of "{},".
 */
static enum err judge_nesting(struct view text)
{
	bool is_string = false;
	size_t depth = 0, all = 0;

	for (size_t i = 0; i < text.n; i++) {
		uint8_t c;

		if (is_string)
			i += json_plain((struct view){text.p + i, text.n - i});
		if (i == text.n)
			break;
		c = text.p[i];
		if (is_string && c == '\\')
			i++;
		else if (c == '"')
			is_string = !is_string;
		else if (!is_string && (c == '[' || c == '{'))
			depth++, all++;
		else if (!is_string && (c == ']' || c == '}') && depth > 0)
			depth--;
		if (depth > LIMIT_DEPTH)
			return refuse(ERR_MALFORMED, "json", "PROTOCOL limits",
				"nested more than %d deep", LIMIT_DEPTH);
		if (all > LIMIT_OBJECTS)
			return refuse(ERR_MALFORMED, "json", "PROTOCOL limits",
				"more than %d objects and lists", LIMIT_OBJECTS);
	}
	return OK;
}

enum err json_read(struct view text, json_t **out)
{
	AUTO(json_free) json_t *json = NULL;
	json_error_t error;

	if (text.n == 0)
		return refuse(
			ERR_MALFORMED, "json", "RFC 8259", "there is no JSON text: it is empty");
	TRY(judge_nesting(text));
	if ((json = json_usual_read(text)) == NULL)
		json = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &error);
	if (json == NULL)
		return refuse(ERR_MALFORMED, "json", "RFC 8259", "not a JSON text: %s (byte %d)",
			error.text, error.position);
	if (!json_is_object(json))
		return refuse(ERR_MALFORMED, "json", "RFC 8259", "not a JSON object");
	*out = MOVE(json);
	return OK;
}

static bool is_among(const char *key, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

enum err json_only(const json_t *object, const char *const *keys, size_t n)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return refuse(ERR_MALFORMED, "json-type", "PROTOCOL encodings", "wanted an object");
	json_object_foreach ((json_t *)object, key, value)
		if (!is_among(key, keys, n))
			return refuse(ERR_MALFORMED, "json-key-unknown", "PROTOCOL encodings",
				"the key \"%.64s\" is not one of this message", key);
	return OK;
}

enum err json_member(const json_t *object, const char *key, json_type type, json_t **out)
{
	json_t *value = json_object_get(object, key);

	if (value == NULL)
		return refuse(ERR_MALFORMED, "json-key-missing", "PROTOCOL encodings",
			"the key \"%s\" is missing", key);
	if (json_typeof(value) != type)
		return refuse(ERR_MALFORMED, "json-type", "PROTOCOL encodings",
			"the value of \"%s\" has the wrong type", key);
	*out = value;
	return OK;
}

static enum err too_long(const char *key, size_t max)
{
	return refuse(ERR_MALFORMED, "field-too-long", "PROTOCOL limits",
		"\"%s\" is longer than %zu bytes", key, max);
}

enum err json_string_of(const json_t *object, const char *key, size_t max, const char **out)
{
	json_t *value = NULL;

	TRY(json_member(object, key, JSON_STRING, &value));
	if (json_string_length(value) > max)
		return too_long(key, max);
	*out = json_string_value(value);
	return OK;
}

enum err json_number(const json_t *object, const char *key, int64_t *out)
{
	json_t *value = NULL;

	TRY(json_member(object, key, JSON_INTEGER, &value));
	*out = json_integer_value(value);
	return OK;
}

/* A truth value has two types. */
enum err json_flag(const json_t *object, const char *key, bool *out)
{
	bool is_true = json_is_true(json_object_get(object, key));
	json_t *value = NULL;

	TRY(json_member(object, key, is_true ? JSON_TRUE : JSON_FALSE, &value));
	*out = is_true;
	return OK;
}

enum err json_bytes_value(const json_t *value, const char *key, size_t max, struct buf *out)
{
	AUTO(buf_free) struct buf bytes = BUF(max + 3);
	struct view text;

	if (!json_is_string(value))
		return refuse(ERR_MALFORMED, "json-type", "PROTOCOL encodings",
			"the value of \"%s\" has the wrong type", key);
	text = (struct view){(const uint8_t *)json_string_value(value), json_string_length(value)};
	if (text.n > (max + 2) / 3 * 4)
		return too_long(key, max);
	TRY(base64_read(text, &bytes));
	if (bytes.n > max)
		return too_long(key, max);
	buf_add(out, buf_view(&bytes));
	return buf_ok(out);
}

enum err json_bytes(const json_t *object, const char *key, size_t max, struct buf *out)
{
	json_t *value = NULL;

	TRY(json_member(object, key, JSON_STRING, &value));
	return json_bytes_value(value, key, max, out);
}

/* Marks the object, so that json_write() refuses what lacks a member: no message has a null. */
static void spoil(json_t *object)
{
	json_object_set_new(object, "", json_null());
}

static bool is_spoiled(const json_t *json)
{
	const char *key;
	json_t *value;
	size_t i;

	if (json == NULL || json_is_null(json))
		return true;
	json_object_foreach ((json_t *)json, key, value) {
		if (is_spoiled(value))
			return true;
	}
	json_array_foreach (json, i, value) {
		if (is_spoiled(value))
			return true;
	}
	return false;
}

void json_put(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		spoil(object);
}

void json_append(json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) != 0)
		json_array_append_new(array, json_null());
}

void json_put_string(json_t *object, const char *key, const char *value)
{
	json_put(object, key, json_string(value));
}

json_t *json_from_bytes(struct view bytes)
{
	AUTO(buf_free) struct buf text = BUF(bytes.n / 3 * 4 + 8);

	base64_add(&text, bytes);
	return text.failed ? NULL : json_stringn_nocheck(buf_text(&text), text.n);
}

void json_put_bytes(json_t *object, const char *key, struct view bytes)
{
	json_put(object, key, json_from_bytes(bytes));
}

static void append_line(json_t *list, const char *line, size_t n)
{
	char whole[LIMIT_LINE], ascii[LIMIT_LINE];

	snprintf(whole, sizeof(whole), "%.*s", (int)(n < sizeof(whole) ? n : sizeof(whole)), line);
	printable(whole, ascii, sizeof(ascii));
	json_append(list, json_string(ascii));
}

void json_put_lines(json_t *object, const char *key, struct view lines)
{
	json_t *list = json_array();
	size_t more = 0;
	char last[64];

	for (size_t at = 0; at < lines.n;) {
		const uint8_t *line = lines.p + at, *end = memchr(line, '\n', lines.n - at);
		size_t n = end == NULL ? lines.n - at : (size_t)(end - line);

		at += n + 1;
		if (at <= LIMIT_LINES)
			append_line(list, (const char *)line, n);
		else
			more++;
	}
	snprintf(last, sizeof(last), "and %zu more: the service's log has them all", more);
	if (more > 0)
		json_append(list, json_string(last));
	json_put(object, key, list);
}

enum err json_lines(const json_t *object, const char *key, struct buf *out)
{
	json_t *list = json_object_get(object, key), *line;
	size_t i;

	if (list != NULL && !json_is_array(list))
		return refuse(ERR_MALFORMED, "json-type", "PROTOCOL encodings",
			"the value of \"%s\" has the wrong type", key);
	json_array_foreach (list, i, line) {
		if (!json_is_string(line))
			return refuse(ERR_MALFORMED, "json-type", "PROTOCOL encodings",
				"\"%s\" has an entry of the wrong type", key);
		buf_str(out, json_string_value(line));
		buf_str(out, "\n");
	}
	return buf_ok(out);
}

enum err json_write(json_t *json, struct buf *out)
{
	AUTO(json_free) json_t *owned = json;

	if (is_spoiled(owned) || !json_text_add(owned, out))
		return fail(ERR_INTERNAL, "json-write", "cannot write a JSON text");
	return buf_ok(out);
}

enum err json_read_bytes(struct view text, const char *key, size_t max, struct buf *out)
{
	AUTO(json_free) json_t *object = NULL;

	TRY(json_read(text, &object));
	TRY(JSON_ONLY(object, key));
	return json_bytes(object, key, max, out);
}

enum err json_write_bytes(const char *key, struct view bytes, struct buf *out)
{
	json_t *object = json_object();

	json_put_bytes(object, key, bytes);
	return json_write(object, out);
}
