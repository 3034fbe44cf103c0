#include "enroll/proto/attempts.h"

#include "enroll/proto/json.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* A member of a struct and its key. Texts that may be "" are left out then. */
struct text_member {
	const char *key;
	size_t offset, room;
	bool may_lack;
};

#define TEXT(name, lacks)                                                                          \
	{                                                                                          \
#name, offsetof(struct attempt, name), sizeof(((struct attempt *)0)->name), lacks  \
	}
static const struct text_member texts[] = {TEXT(host, true), TEXT(device_id, true),
	TEXT(reason, false), TEXT(sentence, true), TEXT(from, true), TEXT(request_id, true)};

struct number_member {
	const char *key;
	size_t offset;
};

#define NUMBER(name)                                                                               \
	{                                                                                          \
#name, offsetof(struct attempt_counters, name)                                     \
	}
static const struct number_member numbers[] = {NUMBER(since), NUMBER(tickets), NUMBER(issued),
	NUMBER(returned), NUMBER(repeated), NUMBER(held), NUMBER(refused), NUMBER(unrecorded),
	NUMBER(failed)};

enum err attempts_answer_init(struct attempts_answer *answer, size_t n)
{
	*answer = (struct attempts_answer){0};
	answer->items = calloc(n + 1, sizeof(*answer->items));
	return answer->items == NULL ? fail(ERR_INTERNAL, "out-of-memory", "attempts_answer_init")
				     : OK;
}

void attempts_answer_free(struct attempts_answer *answer)
{
	free(answer->items);
	*answer = (struct attempts_answer){0};
}

static json_t *attempt_json(const struct attempt *attempt)
{
	json_t *object = json_object();

	json_put(object, "id", json_integer(attempt->id));
	json_put(object, "at", json_integer(attempt->at));
	for (size_t i = 0; i < COUNT(texts); i++) {
		const char *text = (const char *)attempt + texts[i].offset;

		if (text[0] != '\0' || !texts[i].may_lack)
			json_put_string(object, texts[i].key, text);
	}
	return object;
}

static json_t *counters_json(const struct attempt_counters *counters)
{
	json_t *object = json_object(), *unproven = json_array();

	for (size_t i = 0; i < COUNT(numbers); i++) {
		const char *at = (const char *)counters + numbers[i].offset;

		json_put(object, numbers[i].key, json_integer(*(const int64_t *)(const void *)at));
	}
	for (size_t i = 0; i < counters->unproven_n; i++) {
		json_t *count = json_object();

		json_put_string(count, "reason", counters->unproven[i].reason);
		json_put(count, "count", json_integer(counters->unproven[i].n));
		json_append(unproven, count);
	}
	json_put(object, "unproven", unproven);
	return object;
}

enum err attempt_encode(const struct attempt *attempt, struct buf *json)
{
	return json_write(attempt_json(attempt), json);
}

enum err attempt_counters_encode(const struct attempt_counters *counters, struct buf *json)
{
	return json_write(counters_json(counters), json);
}

enum err attempts_answer_encode(const struct attempts_answer *answer, struct buf *json)
{
	json_t *object = json_object(), *attempts = json_array();

	for (size_t i = 0; i < answer->n; i++)
		json_append(attempts, attempt_json(&answer->items[i]));
	json_put(object, "attempts", attempts);
	json_put(object, "next", json_integer(answer->next));
	json_put(object, "more", json_boolean(answer->more));
	json_put(object, "settles_id", json_integer(answer->settles_id));
	json_put(object, "settles_xid", json_integer(answer->settles_xid));
	json_put(object, "settled_xid", json_integer(answer->settled_xid));
	json_put(object, "counters", counters_json(&answer->counters));
	return json_write(object, json);
}

static enum err read_number(const json_t *object, const char *key, int64_t *out)
{
	json_t *value = NULL;

	TRY(json_member(object, key, JSON_INTEGER, &value));
	*out = json_integer_value(value);
	return OK;
}

static enum err read_text(
	const json_t *object, const struct text_member *member, struct attempt *out)
{
	const char *value;

	if (member->may_lack && json_object_get(object, member->key) == NULL)
		return OK;
	TRY(json_string_of(object, member->key, member->room - 1, &value));
	snprintf((char *)out + member->offset, member->room, "%s", value);
	return OK;
}

static enum err read_attempt(const json_t *object, struct attempt *out)
{
	TRY(JSON_ONLY(object, "id", "at", "host", "device_id", "reason", "sentence", "from",
		"request_id"));
	TRY(read_number(object, "id", &out->id));
	TRY(read_number(object, "at", &out->at));
	for (size_t i = 0; i < COUNT(texts); i++)
		TRY(read_text(object, &texts[i], out));
	return OK;
}

static enum err read_attempts(const json_t *object, struct attempts_answer *out)
{
	json_t *list = NULL;
	size_t n;

	TRY(json_member(object, "attempts", JSON_ARRAY, &list));
	n = json_array_size(list);
	if (n > ATTEMPTS_MAX)
		return refuse(ERR_MALFORMED, "field-too-long", "PROTOCOL limits",
			"more than %d attempts in one answer", ATTEMPTS_MAX);
	TRY(attempts_answer_init(out, n));
	for (size_t i = 0; i < n; i++)
		TRY(read_attempt(json_array_get(list, i), &out->items[i]));
	out->n = n;
	return OK;
}

static enum err read_count(const json_t *object, struct attempt_count *out)
{
	const char *reason;

	TRY(JSON_ONLY(object, "reason", "count"));
	TRY(json_string_of(object, "reason", sizeof(out->reason) - 1, &reason));
	snprintf(out->reason, sizeof(out->reason), "%s", reason);
	return read_number(object, "count", &out->n);
}

static enum err read_counters(const json_t *whole, struct attempt_counters *out)
{
	json_t *object = NULL, *unproven = NULL;
	size_t n;

	TRY(json_member(whole, "counters", JSON_OBJECT, &object));
	TRY(JSON_ONLY(object, "since", "tickets", "issued", "returned", "repeated", "held",
		"refused", "unrecorded", "failed", "unproven"));
	for (size_t i = 0; i < COUNT(numbers); i++) {
		char *at = (char *)out + numbers[i].offset;

		TRY(read_number(object, numbers[i].key, (int64_t *)(void *)at));
	}
	TRY(json_member(object, "unproven", JSON_ARRAY, &unproven));
	n = json_array_size(unproven);
	if (n > ATTEMPT_REASONS)
		return refuse(ERR_MALFORMED, "field-too-long", "PROTOCOL limits",
			"more than %d reasons", ATTEMPT_REASONS);
	for (size_t i = 0; i < n; i++)
		TRY(read_count(json_array_get(unproven, i), &out->unproven[i]));
	out->unproven_n = n;
	return OK;
}

enum err attempts_answer_parse(struct view json, struct attempts_answer *out)
{
	AUTO(json_free) json_t *object = NULL;
	json_t *more = NULL;

	*out = (struct attempts_answer){0};
	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "attempts", "next", "more", "settles_id", "settles_xid",
		"settled_xid", "counters"));
	TRY(read_attempts(object, out));
	TRY(read_number(object, "next", &out->next));
	more = json_object_get(object, "more");
	if (more == NULL)
		return refuse(ERR_MALFORMED, "json-key-missing", "PROTOCOL encodings",
			"the key \"more\" is missing");
	if (!json_is_boolean(more))
		return refuse(ERR_MALFORMED, "json-type", "PROTOCOL encodings",
			"the value of \"more\" has the wrong type");
	out->more = json_is_true(more);
	TRY(read_number(object, "settles_id", &out->settles_id));
	TRY(read_number(object, "settles_xid", &out->settles_xid));
	TRY(read_number(object, "settled_xid", &out->settled_xid));
	return read_counters(object, &out->counters);
}
