#include "enroll/proto/json_usual.h"

#include "ca/base/err.h"
#include "enroll/proto/json_text.h"

#include <string.h>

#define DIGITS 15 /* that fit into a json_int_t, whatever they are */
#define KEY_MAX 64

/* What is left to read. */
struct text {
	const char *at, *end;
};

static void skip_space(struct text *text)
{
	while (text->at < text->end && strchr(" \t\r\n", *text->at) != NULL && *text->at != '\0')
		text->at++;
}

/* Passes over one character, and what space is before it. */
static bool take(struct text *text, char wanted)
{
	skip_space(text);
	if (text->at == text->end || *text->at != wanted)
		return false;
	text->at++;
	return true;
}

/* What stands between quotes, without them. */
static bool read_quoted(struct text *text, struct view *out)
{
	if (!take(text, '"'))
		return false;
	out->p = (const uint8_t *)text->at;
	out->n = json_plain((struct view){out->p, (size_t)(text->end - text->at)});
	text->at += out->n;
	return text->at < text->end && *text->at++ == '"';
}

static json_t *read_string(struct text *text)
{
	struct view view;

	return read_quoted(text, &view) ? json_stringn_nocheck((const char *)view.p, view.n) : NULL;
}

/* Without sign, fraction and exponent; a number that begins with 0 is 0. */
static json_t *read_number(struct text *text)
{
	const char *from = text->at;
	json_int_t v = 0;

	while (text->at < text->end && *text->at >= '0' && *text->at <= '9' &&
		text->at - from < DIGITS)
		v = 10 * v + (*text->at++ - '0');
	if (text->at == from || (*from == '0' && text->at - from > 1) || text->at == text->end ||
		strchr(",]} \t\r\n", *text->at) == NULL || *text->at == '\0')
		return NULL;
	return json_integer(v);
}

static json_t *read_word(struct text *text, const char *word, json_t *value)
{
	const size_t n = strlen(word);

	if ((size_t)(text->end - text->at) < n || memcmp(text->at, word, n) != 0)
		return NULL;
	text->at += n;
	return value;
}

static json_t *read_value(struct text *text);

static bool add_member(struct text *text, json_t *object)
{
	char key[KEY_MAX + 1];
	struct view view;

	if (!read_quoted(text, &view) || view.n > KEY_MAX || !take(text, ':'))
		return false;
	memcpy(key, view.p, view.n);
	key[view.n] = '\0';
	return json_object_get(object, key) == NULL &&
	       json_object_set_new_nocheck(object, key, read_value(text)) == 0;
}

static bool add_element(struct text *text, json_t *array)
{
	return json_array_append_new(array, read_value(text)) == 0;
}

/* Members or elements, up to the bracket that ends them. */
static json_t *read_all(
	struct text *text, json_t *into, char end, bool (*add)(struct text *text, json_t *into))
{
	bool is_good = true;

	if (take(text, end))
		return into;
	do
		is_good = add(text, into);
	while (is_good && take(text, ','));
	if (is_good && take(text, end))
		return into;
	json_decref(into);
	return NULL;
}

static json_t *read_value(struct text *text)
{
	skip_space(text);
	switch (text->at == text->end ? '\0' : *text->at) {
	case '"':
		return read_string(text);
	case '{':
		text->at++;
		return read_all(text, json_object(), '}', add_member);
	case '[':
		text->at++;
		return read_all(text, json_array(), ']', add_element);
	case 't':
		return read_word(text, "true", json_true());
	case 'f':
		return read_word(text, "false", json_false());
	default:
		return read_number(text);
	}
}

json_t *json_usual_read(struct view view)
{
	struct text text = {(const char *)view.p, (const char *)view.p + view.n};
	json_t *value = read_value(&text);

	skip_space(&text);
	if (text.at == text.end && json_is_object(value))
		return value;
	json_decref(value);
	return NULL;
}
