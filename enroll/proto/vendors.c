#include "enroll/proto/vendors.h"

#include "enroll/proto/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err out_of_memory(void)
{
	return fail(ERR_INTERNAL, "out-of-memory", "a list of certificates");
}

static enum err list_of(const json_t *object, const char *key, json_t **out)
{
	TRY(json_member(object, key, JSON_ARRAY, out));
	if (json_array_size(*out) > LIMIT_IMPORT_ITEMS)
		return refuse(ERR_MALFORMED, "field-too-long", "PROTOCOL limits",
			"more than %d certificates at once", LIMIT_IMPORT_ITEMS);
	return OK;
}

static enum err copy_text(const json_t *object, const char *key, char *out, size_t room)
{
	const char *value;

	TRY(json_string_of(object, key, room - 1, &value));
	snprintf(out, room, "%s", value);
	return OK;
}

/* All the bytes lie one behind the other; where they are is known when the last one is there. */
static enum err add_der(const json_t *object, struct buf *all, struct view *out)
{
	size_t before = all->n;

	TRY(json_bytes(object, "certificate", LIMIT_IMPORT_CRL, all));
	*out = (struct view){NULL, all->n - before};
	return OK;
}

enum err import_request_init(struct import_request *request, size_t n)
{
	*request = (struct import_request){.der = BUF(LIMIT_IMPORT_BODY)};
	request->items = calloc(n + 1, sizeof(*request->items));
	return request->items == NULL ? out_of_memory() : OK;
}

void import_request_free(struct import_request *request)
{
	free(request->items);
	json_free(&request->json);
	buf_free(&request->der);
	*request = (struct import_request){.n = 0};
}

static enum err read_item(const json_t *object, struct buf *der, struct import_item *out)
{
	TRY(JSON_ONLY(object, "role", "manufacturers", "source", "path", "certificate"));
	TRY(json_string_of(object, "role", LIMIT_IMPORT_TEXT, &out->role));
	TRY(json_string_of(object, "manufacturers", LIMIT_IMPORT_TEXT, &out->manufacturers));
	TRY(json_string_of(object, "source", LIMIT_IMPORT_TEXT, &out->source));
	TRY(json_string_of(object, "path", LIMIT_IMPORT_TEXT, &out->path));
	return add_der(object, der, &out->der);
}

static enum err read_flag(const json_t *object, const char *key, bool *out)
{
	const json_t *value = json_object_get(object, key);

	if (value != NULL && !json_is_boolean(value))
		return refuse(ERR_MALFORMED, "json-type", "PROTOCOL encodings",
			"the value of \"%s\" has the wrong type", key);
	*out = json_is_true(value);
	return OK;
}

enum err import_request_parse(struct view json, struct import_request *out)
{
	json_t *list = NULL;
	size_t at = 0;

	*out = (struct import_request){.n = 0};
	TRY(json_read(json, &out->json));
	TRY(JSON_ONLY(out->json, "items", "why", "dry_run"));
	TRY(list_of(out->json, "items", &list));
	out->items = calloc(json_array_size(list) + 1, sizeof(*out->items));
	if (out->items == NULL)
		return out_of_memory();
	out->der = BUF(LIMIT_IMPORT_BODY);
	TRY(copy_text(out->json, "why", out->why, sizeof(out->why)));
	TRY(read_flag(out->json, "dry_run", &out->is_dry_run));
	for (size_t i = 0; i < json_array_size(list); i++)
		TRY(read_item(json_array_get(list, i), &out->der, &out->items[i]));
	out->n = json_array_size(list);
	for (size_t i = 0; i < out->n; at += out->items[i++].der.n)
		if (out->items[i].der.n > 0)
			out->items[i].der.p = out->der.p + at;
	return OK;
}

enum err import_request_encode(const struct import_request *request, struct buf *json)
{
	json_t *object = json_object(), *list = json_array();

	for (size_t i = 0; i < request->n; i++) {
		const struct import_item *item = &request->items[i];
		json_t *one = json_object();

		json_put_string(one, "role", item->role);
		json_put_string(one, "manufacturers", item->manufacturers);
		json_put_string(one, "source", item->source);
		json_put_string(one, "path", item->path);
		json_put_bytes(one, "certificate", item->der);
		json_append(list, one);
	}
	json_put(object, "items", list);
	json_put_string(object, "why", request->why);
	json_put(object, "dry_run", json_boolean(request->is_dry_run));
	return json_write(object, json);
}

enum err import_answer_init(struct import_answer *answer, size_t n)
{
	*answer = (struct import_answer){.items = calloc(n + 1, sizeof(*answer->items)), .n = n};
	return answer->items == NULL ? out_of_memory() : OK;
}

void import_answer_free(struct import_answer *answer)
{
	free(answer->items);
	*answer = (struct import_answer){.n = 0};
}

static const char *const results[] = {
	[IMPORT_ADDED] = "added", [IMPORT_KNOWN] = "known", [IMPORT_REFUSED] = "refused"};

static enum err read_result(const json_t *object, enum import_result *out)
{
	const char *word;

	TRY(json_string_of(object, "result", LIMIT_REASON, &word));
	for (size_t i = 0; i < COUNT(results); i++)
		if (strcmp(word, results[i]) == 0) {
			*out = (enum import_result)i;
			return OK;
		}
	return refuse(ERR_MALFORMED, "json-type", "PROTOCOL encodings",
		"\"%.32s\" is no result of an import", word);
}

static enum err read_outcome(const json_t *object, struct import_outcome *out)
{
	TRY(JSON_ONLY(object, "sha256", "result", "reason", "sentence"));
	TRY(copy_text(object, "sha256", out->sha256, sizeof(out->sha256)));
	TRY(read_result(object, &out->result));
	if (out->result != IMPORT_REFUSED)
		return OK;
	TRY(copy_text(object, "reason", out->reason, sizeof(out->reason)));
	return copy_text(object, "sentence", out->sentence, sizeof(out->sentence));
}

enum err import_answer_parse(struct view json, struct import_answer *out)
{
	AUTO(json_free) json_t *object = NULL;
	json_t *list = NULL;

	*out = (struct import_answer){.n = 0};
	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "items"));
	TRY(list_of(object, "items", &list));
	TRY(import_answer_init(out, json_array_size(list)));
	for (size_t i = 0; i < out->n; i++)
		TRY(read_outcome(json_array_get(list, i), &out->items[i]));
	return OK;
}

enum err import_answer_encode(const struct import_answer *answer, struct buf *json)
{
	json_t *object = json_object(), *list = json_array();

	for (size_t i = 0; i < answer->n; i++) {
		const struct import_outcome *item = &answer->items[i];
		json_t *one = json_object();

		json_put_string(one, "sha256", item->sha256);
		json_put_string(one, "result", results[item->result]);
		if (item->result == IMPORT_REFUSED) {
			json_put_string(one, "reason", item->reason);
			json_put_string(one, "sentence", item->sentence);
		}
		json_append(list, one);
	}
	json_put(object, "items", list);
	return json_write(object, json);
}

enum err remove_request_parse(struct view json, struct remove_request *out)
{
	AUTO(json_free) json_t *object = NULL;

	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "sha256", "why"));
	TRY(copy_text(object, "sha256", out->sha256, sizeof(out->sha256)));
	return copy_text(object, "why", out->why, sizeof(out->why));
}

enum err remove_request_encode(const struct remove_request *request, struct buf *json)
{
	json_t *object = json_object();

	json_put_string(object, "sha256", request->sha256);
	json_put_string(object, "why", request->why);
	return json_write(object, json);
}

enum err remove_answer_encode(const char *sha256, struct buf *json)
{
	json_t *object = json_object();

	json_put_string(object, "sha256", sha256);
	return json_write(object, json);
}
