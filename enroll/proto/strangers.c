#include "enroll/proto/strangers.h"

#include "enroll/proto/field.h"

#include <stdlib.h>

static const struct field fields[] = {FIELD_NUMBER(stranger, number),
	FIELD_NUMBER(stranger, first_at), FIELD_NUMBER(stranger, at), FIELD_NUMBER(stranger, count),
	FIELD_TEXT_OR_NONE(stranger, host), FIELD_TEXT(stranger, reason),
	FIELD_TEXT_OR_NONE(stranger, sentence), FIELD_TEXT_OR_NONE(stranger, from),
	FIELD_TEXT_OR_NONE(stranger, request_id)};

enum err strangers_answer_init(struct strangers_answer *answer, size_t n)
{
	*answer = (struct strangers_answer){0};
	answer->items = calloc(n + 1, sizeof(*answer->items));
	return answer->items == NULL ? fail(ERR_INTERNAL, "out-of-memory", "strangers_answer_init")
				     : OK;
}

void strangers_answer_free(struct strangers_answer *answer)
{
	free(answer->items);
	*answer = (struct strangers_answer){0};
}

static json_t *stranger_json(const struct stranger *stranger)
{
	json_t *object = json_object();

	fields_put(object, fields, COUNT(fields), stranger);
	return object;
}

enum err stranger_encode(const struct stranger *stranger, struct buf *json)
{
	return json_write(stranger_json(stranger), json);
}

enum err strangers_answer_encode(const struct strangers_answer *answer, struct buf *json)
{
	json_t *object = json_object(), *list = json_array();

	for (size_t i = 0; i < answer->n; i++)
		json_append(list, stranger_json(&answer->items[i]));
	json_put(object, "since", json_integer(answer->since));
	json_put(object, "next", json_integer(answer->next));
	json_put(object, "strangers", list);
	return json_write(object, json);
}

static enum err read_stranger(const json_t *object, struct stranger *out)
{
	TRY(JSON_ONLY(object, "number", "first_at", "at", "count", "host", "reason", "sentence",
		"from", "request_id"));
	return fields_read(object, fields, COUNT(fields), out);
}

enum err strangers_answer_parse(struct view json, struct strangers_answer *out)
{
	AUTO(json_free) json_t *object = NULL;
	json_t *list = NULL;
	size_t n;

	*out = (struct strangers_answer){0};
	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "since", "next", "strangers"));
	TRY(json_member(object, "strangers", JSON_ARRAY, &list));
	n = json_array_size(list);
	if (n > STRANGERS_MAX)
		return refuse(ERR_MALFORMED, "field-too-long", "PROTOCOL limits",
			"more than %d of them in one answer", STRANGERS_MAX);
	TRY(strangers_answer_init(out, n));
	for (size_t i = 0; i < n; i++)
		TRY(read_stranger(json_array_get(list, i), &out->items[i]));
	out->n = n;
	TRY(json_number(object, "since", &out->since));
	return json_number(object, "next", &out->next);
}
