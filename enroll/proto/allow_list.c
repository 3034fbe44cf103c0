#include "enroll/proto/allow.h"

#include "enroll/proto/field.h"
#include "enroll/proto/labels_json.h"

#include <stdio.h>
#include <stdlib.h>

#define TEXT_OR_NONE(name) FIELD_TEXT_OR_NONE(allow_item, name)
static const struct field fields[] = {FIELD_TEXT(allow_item, ek_digest), TEXT_OR_NONE(serial),
	TEXT_OR_NONE(host), TEXT_OR_NONE(source), TEXT_OR_NONE(added_by), TEXT_OR_NONE(why),
	FIELD_NUMBER(allow_item, added_at)};

enum err allow_list_init(struct allow_list *list, size_t n)
{
	*list = (struct allow_list){0};
	list->items = calloc(n + 1, sizeof(*list->items));
	return list->items == NULL ? fail(ERR_INTERNAL, "out-of-memory", "allow_list_init") : OK;
}

void allow_list_free(struct allow_list *list)
{
	free(list->items);
	*list = (struct allow_list){0};
}

static json_t *item_json(const struct allow_item *item)
{
	json_t *object = json_object();

	fields_put(object, fields, COUNT(fields), item);
	json_put(object, "labels", labels_object(item->labels));
	json_put(object, "enrolled", json_boolean(item->is_enrolled));
	return object;
}

enum err allow_item_encode(const struct allow_item *item, struct buf *json)
{
	return json_write(item_json(item), json);
}

enum err allow_list_encode(const struct allow_list *list, struct buf *json)
{
	json_t *object = json_object(), *items = json_array();

	for (size_t i = 0; i < list->n; i++)
		json_append(items, item_json(&list->items[i]));
	json_put(object, "allowed", items);
	json_put(object, "more", json_boolean(list->more));
	return json_write(object, json);
}

static enum err read_item(const json_t *object, struct allow_item *out)
{
	AUTO(buf_free) struct buf labels = BUF(LIMIT_LABELS);
	json_t *value = NULL;

	TRY(JSON_ONLY(object, "ek_digest", "serial", "host", "source", "added_by", "why", "labels",
		"added_at", "enrolled"));
	TRY(fields_read(object, fields, COUNT(fields), out));
	TRY(json_member(object, "labels", JSON_OBJECT, &value));
	TRY(labels_read(value, &labels));
	snprintf(out->labels, sizeof(out->labels), "%s", buf_text(&labels));
	return json_flag(object, "enrolled", &out->is_enrolled);
}

enum err allow_list_parse(struct view json, struct allow_list *out)
{
	AUTO(json_free) json_t *object = NULL;
	json_t *items = NULL;

	*out = (struct allow_list){0};
	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "allowed", "more"));
	TRY(json_member(object, "allowed", JSON_ARRAY, &items));
	if (json_array_size(items) > ALLOW_PAGE)
		return refuse(ERR_MALFORMED, "field-too-long", "PROTOCOL limits",
			"more than %d entries in one answer", ALLOW_PAGE);
	TRY(allow_list_init(out, json_array_size(items)));
	for (; out->n < json_array_size(items); out->n++)
		TRY(read_item(json_array_get(items, out->n), &out->items[out->n]));
	return json_flag(object, "more", &out->more);
}
