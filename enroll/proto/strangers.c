#include "enroll/proto/strangers.h"

#include "enroll/proto/json.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* Members of struct stranger and their keys. A text that may lack is left out when it is "". */
static const struct {
	const char *key;
	size_t offset, room;
	bool may_lack;
} texts[] = {
	{"host", offsetof(struct stranger, host), sizeof(((struct stranger *)0)->host), true},
	{"reason", offsetof(struct stranger, reason), sizeof(((struct stranger *)0)->reason),
		false},
	{"sentence", offsetof(struct stranger, sentence), sizeof(((struct stranger *)0)->sentence),
		true},
	{"from", offsetof(struct stranger, from), sizeof(((struct stranger *)0)->from), true},
	{"request_id", offsetof(struct stranger, request_id),
		sizeof(((struct stranger *)0)->request_id), true},
};

static const struct {
	const char *key;
	size_t offset;
} numbers[] = {
	{"number", offsetof(struct stranger, number)},
	{"first_at", offsetof(struct stranger, first_at)},
	{"at", offsetof(struct stranger, at)},
	{"count", offsetof(struct stranger, count)},
};

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

	for (size_t i = 0; i < COUNT(numbers); i++) {
		const char *at = (const char *)stranger + numbers[i].offset;

		json_put(object, numbers[i].key, json_integer(*(const int64_t *)(const void *)at));
	}
	for (size_t i = 0; i < COUNT(texts); i++) {
		const char *text = (const char *)stranger + texts[i].offset;

		if (text[0] != '\0' || !texts[i].may_lack)
			json_put_string(object, texts[i].key, text);
	}
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

static enum err read_number(const json_t *object, const char *key, int64_t *out)
{
	json_t *value = NULL;

	TRY(json_member(object, key, JSON_INTEGER, &value));
	*out = json_integer_value(value);
	return OK;
}

static enum err read_stranger(const json_t *object, struct stranger *out)
{
	const char *value;

	TRY(JSON_ONLY(object, "number", "first_at", "at", "count", "host", "reason", "sentence",
		"from", "request_id"));
	for (size_t i = 0; i < COUNT(numbers); i++) {
		char *at = (char *)out + numbers[i].offset;

		TRY(read_number(object, numbers[i].key, (int64_t *)(void *)at));
	}
	for (size_t i = 0; i < COUNT(texts); i++) {
		if (texts[i].may_lack && json_object_get(object, texts[i].key) == NULL)
			continue;
		TRY(json_string_of(object, texts[i].key, texts[i].room - 1, &value));
		snprintf((char *)out + texts[i].offset, texts[i].room, "%s", value);
	}
	return OK;
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
	TRY(read_number(object, "since", &out->since));
	return read_number(object, "next", &out->next);
}
