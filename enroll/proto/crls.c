#include "enroll/proto/crls.h"

#include "enroll/proto/field.h"

#include <stdlib.h>

static const struct field fields[] = {FIELD_TEXT(crl_item, name), FIELD_TEXT(crl_item, issuer),
	FIELD_NUMBER(crl_item, shard), FIELD_NUMBER(crl_item, number),
	FIELD_NUMBER(crl_item, this_update), FIELD_NUMBER(crl_item, next_update),
	FIELD_NUMBER(crl_item, bytes)};
static const struct field next[] = {FIELD_TEXT_OR_NONE(crls_answer, next)};

enum err crls_answer_init(struct crls_answer *answer, size_t n)
{
	*answer = (struct crls_answer){0};
	answer->items = calloc(n + 1, sizeof(*answer->items));
	return answer->items == NULL ? fail(ERR_INTERNAL, "out-of-memory", "crls_answer_init") : OK;
}

void crls_answer_free(struct crls_answer *answer)
{
	free(answer->items);
	*answer = (struct crls_answer){0};
}

static json_t *item_json(const struct crl_item *item)
{
	json_t *object = json_object();

	fields_put(object, fields, COUNT(fields), item);
	json_put(object, "behind", json_boolean(item->is_behind));
	return object;
}

enum err crls_answer_encode(const struct crls_answer *answer, struct buf *json)
{
	json_t *object = json_object(), *list = json_array();

	for (size_t i = 0; i < answer->n; i++)
		json_append(list, item_json(&answer->items[i]));
	fields_put(object, next, COUNT(next), answer);
	json_put(object, "crls", list);
	return json_write(object, json);
}

static enum err read_item(const json_t *object, struct crl_item *out)
{
	TRY(JSON_ONLY(object, "name", "issuer", "shard", "number", "this_update", "next_update",
		"bytes", "behind"));
	TRY(fields_read(object, fields, COUNT(fields), out));
	return json_flag(object, "behind", &out->is_behind);
}

enum err crls_answer_parse(struct view json, struct crls_answer *out)
{
	AUTO(json_free) json_t *object = NULL;
	json_t *list = NULL;
	size_t n;

	*out = (struct crls_answer){0};
	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "next", "crls"));
	TRY(json_member(object, "crls", JSON_ARRAY, &list));
	n = json_array_size(list);
	if (n > CRLS_MAX)
		return refuse(ERR_MALFORMED, "field-too-long", "PROTOCOL limits",
			"more than %d of them in one answer", CRLS_MAX);
	TRY(crls_answer_init(out, n));
	for (size_t i = 0; i < n; i++)
		TRY(read_item(json_array_get(list, i), &out->items[i]));
	out->n = n;
	return fields_read(object, next, COUNT(next), out);
}
