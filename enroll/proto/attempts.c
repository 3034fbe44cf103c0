#include "enroll/proto/attempts.h"

#include "enroll/proto/field.h"

#include <stdio.h>
#include <stdlib.h>

static const struct field fields[] = {FIELD_NUMBER(attempt, id), FIELD_NUMBER(attempt, at),
	FIELD_TEXT_OR_NONE(attempt, host), FIELD_TEXT_OR_NONE(attempt, device_id),
	FIELD_TEXT(attempt, reason), FIELD_TEXT_OR_NONE(attempt, sentence),
	FIELD_TEXT_OR_NONE(attempt, from), FIELD_TEXT_OR_NONE(attempt, request_id)};

#define COUNTER(name) FIELD_NUMBER(attempt_counters, name)
static const struct field counter_fields[] = {COUNTER(since), COUNTER(tickets), COUNTER(issued),
	COUNTER(returned), COUNTER(repeated), COUNTER(held), COUNTER(refused), COUNTER(unrecorded),
	COUNTER(failed)};

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

	fields_put(object, fields, COUNT(fields), attempt);
	return object;
}

static json_t *counters_json(const struct attempt_counters *counters)
{
	json_t *object = json_object(), *unproven = json_array();

	fields_put(object, counter_fields, COUNT(counter_fields), counters);
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

static enum err read_attempt(const json_t *object, struct attempt *out)
{
	TRY(JSON_ONLY(object, "id", "at", "host", "device_id", "reason", "sentence", "from",
		"request_id"));
	return fields_read(object, fields, COUNT(fields), out);
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
	return json_number(object, "count", &out->n);
}

static enum err read_counters(const json_t *whole, struct attempt_counters *out)
{
	json_t *object = NULL, *unproven = NULL;
	size_t n;

	TRY(json_member(whole, "counters", JSON_OBJECT, &object));
	TRY(JSON_ONLY(object, "since", "tickets", "issued", "returned", "repeated", "held",
		"refused", "unrecorded", "failed", "unproven"));
	TRY(fields_read(object, counter_fields, COUNT(counter_fields), out));
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

	*out = (struct attempts_answer){0};
	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "attempts", "next", "more", "settles_id", "settles_xid",
		"settled_xid", "counters"));
	TRY(read_attempts(object, out));
	TRY(json_number(object, "next", &out->next));
	TRY(json_flag(object, "more", &out->more));
	TRY(json_number(object, "settles_id", &out->settles_id));
	TRY(json_number(object, "settles_xid", &out->settles_xid));
	TRY(json_number(object, "settled_xid", &out->settled_xid));
	return read_counters(object, &out->counters);
}
