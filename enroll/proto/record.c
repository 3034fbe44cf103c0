#include "enroll/proto/record.h"

#include "enroll/proto/json.h"
#include "enroll/proto/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A record is a jansson object by another name, which only this file knows. */
static json_t *json_of(const struct record *record)
{
	return (json_t *)record;
}

static struct record *record_of(json_t *json)
{
	return (struct record *)json;
}

enum err record_new(struct record **out)
{
	*out = record_of(json_object());
	return *out == NULL ? fail(ERR_INTERNAL, "out-of-memory", "record_new") : OK;
}

void record_free(struct record **record)
{
	json_decref(json_of(*record));
	*record = NULL;
}

void record_put_text(struct record *record, const char *key, const char *value)
{
	json_put_string(json_of(record), key, value);
}

void record_put_number(struct record *record, const char *key, int64_t value)
{
	json_put(json_of(record), key, json_integer(value));
}

void record_put_flag(struct record *record, const char *key, bool value)
{
	json_put(json_of(record), key, json_boolean(value));
}

void record_put_json(struct record *record, const char *key, const char *json)
{
	json_put(json_of(record), key,
		json_loads(json, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL));
}

void record_add_text(struct record *record, const char *key, const char *value)
{
	json_t *list = json_object_get(json_of(record), key);

	if (list == NULL) {
		json_put(json_of(record), key, json_array());
		list = json_object_get(json_of(record), key);
	}
	json_append(list, json_string(value));
}

enum err record_encode(const struct record *record, struct buf *json)
{
	return json_write(json_incref(json_of(record)), json);
}

static json_t *member(const struct record *record, const char *key)
{
	return json_object_get(json_of(record), key);
}

static const char *text_of(const json_t *value)
{
	return json_is_string(value) ? json_string_value(value) : "";
}

const char *record_text(const struct record *record, const char *key)
{
	return text_of(member(record, key));
}

int64_t record_number(const struct record *record, const char *key)
{
	return json_integer_value(member(record, key));
}

bool record_flag(const struct record *record, const char *key)
{
	return json_is_true(member(record, key));
}

bool record_has(const struct record *record, const char *key)
{
	return member(record, key) != NULL;
}

const struct record *record_object(const struct record *record, const char *key)
{
	json_t *value = member(record, key);

	return json_is_object(value) ? record_of(value) : NULL;
}

const struct record *record_item(const struct record *record, const char *key, size_t i)
{
	json_t *value = json_array_get(member(record, key), i);

	return json_is_object(value) ? record_of(value) : NULL;
}

const char *record_item_text(const struct record *record, const char *key, size_t i)
{
	json_t *value = json_array_get(member(record, key), i);

	return json_is_string(value) ? json_string_value(value) : NULL;
}

void record_member(const struct record *record, const char *key, struct buf *json)
{
	json_t *value = member(record, key);
	char *text = value == NULL ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	if (text != NULL)
		buf_str(json, text);
	free(text);
}

static enum err judge_member(const json_t *object, const struct record_member *wanted)
{
	const json_t *value = json_object_get(object, wanted->key);
	bool fits = false;

	if (value == NULL && wanted->may_lack)
		return OK;
	switch (wanted->kind) {
	case RECORD_TEXT:
		fits = json_is_string(value);
		break;
	case RECORD_NUMBER:
		fits = json_is_integer(value);
		break;
	case RECORD_FLAG:
		fits = json_is_boolean(value);
		break;
	case RECORD_LIST:
		fits = json_is_array(value);
		break;
	case RECORD_OBJECT:
		fits = json_is_object(value);
		break;
	}
	if (fits)
		return OK;
	if (value == NULL)
		return refuse(ERR_MALFORMED, "json-key-missing", "PROTOCOL encodings",
			"the key \"%s\" is missing", wanted->key);
	return refuse(ERR_MALFORMED, "json-type", "PROTOCOL encodings",
		"the value of \"%s\" has the wrong type", wanted->key);
}

static enum err judge(const json_t *object, const struct record_shape *shape)
{
	const char *keys[48];
	size_t n = 0;

	for (const struct record_member *m = shape->members; m->key != NULL && n < COUNT(keys); m++)
		keys[n++] = m->key;
	TRY(json_only(object, keys, n));
	for (const struct record_member *m = shape->members; m->key != NULL; m++)
		TRY(judge_member(object, m));
	return OK;
}

enum err record_parse(struct view json, const struct record_shape *shape, struct record **out)
{
	AUTO(json_free) json_t *object = NULL;

	TRY(json_read(json, &object));
	TRY(judge(object, shape));
	*out = record_of(MOVE(object));
	return OK;
}

enum err record_list_init(struct record_list *list, size_t n)
{
	*list = (struct record_list){0};
	list->items = calloc(n + 1, sizeof(struct record *));
	if (list->items == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "record_list_init");
	for (; list->n < n; list->n++)
		TRY(record_new(&list->items[list->n]));
	return OK;
}

void record_list_free(struct record_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		record_free(&list->items[i]);
	free(list->items);
	*list = (struct record_list){0};
}

enum err record_list_encode(
	const struct record_list *list, const struct record_shape *shape, struct buf *json)
{
	json_t *object = json_object(), *items = json_array();

	for (size_t i = 0; i < list->n; i++)
		json_append(items, json_incref(json_of(list->items[i])));
	json_put(object, shape->name, items);
	if (list->next[0] != '\0')
		json_put_string(object, "next", list->next);
	return json_write(object, json);
}

static enum err take_items(
	const json_t *object, const struct record_shape *shape, struct record_list *out)
{
	json_t *items = NULL;
	size_t n;

	TRY(json_member(object, shape->name, JSON_ARRAY, &items));
	n = json_array_size(items);
	if (n > LIST_MAX)
		return refuse(ERR_MALFORMED, "field-too-long", "PROTOCOL limits",
			"more than %d records in one answer", LIST_MAX);
	TRY(record_list_init(out, 0));
	free(out->items);
	if ((out->items = calloc(n + 1, sizeof(struct record *))) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "record_list_parse");
	for (; out->n < n; out->n++) {
		json_t *item = json_array_get(items, out->n);

		TRY(judge(item, shape));
		out->items[out->n] = record_of(json_incref(item));
	}
	return OK;
}

enum err record_list_parse(
	struct view json, const struct record_shape *shape, struct record_list *out)
{
	AUTO(json_free) json_t *object = NULL;
	const char *next;

	*out = (struct record_list){0};
	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, shape->name, "next"));
	TRY(take_items(object, shape, out));
	if (json_object_get(object, "next") == NULL)
		return OK;
	TRY(json_string_of(object, "next", LIMIT_CURSOR, &next));
	snprintf(out->next, sizeof(out->next), "%s", next);
	return OK;
}
