#include "enroll/proto/pending.h"

#include "enroll/proto/json.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_AK_NAME 128

const char *const waiting_state_words[] = {[WAITING_HELD] = "held",
	[WAITING_ACCEPTED] = "accepted",
	[WAITING_REJECTED] = "rejected",
	NULL};

struct text_member {
	const char *key;
	size_t offset, room;
	bool may_lack; /* left out when "" */
};

#define TEXT(of, name, lacks)                                                                      \
	{                                                                                          \
#name, offsetof(struct of, name), sizeof(((struct of *)0)->name), lacks            \
	}
static const struct text_member waiting_texts[] = {TEXT(waiting, id, false),
	TEXT(waiting, host, true), TEXT(waiting, from, true), TEXT(waiting, ek_digest, false),
	TEXT(waiting, manufacturer, true), TEXT(waiting, model, true), TEXT(waiting, version, true),
	TEXT(waiting, code, false), TEXT(waiting, sentence, true), TEXT(waiting, rule, true),
	TEXT(waiting, decided_by, true), TEXT(waiting, why, true)};
static const struct text_member decide_texts[] = {
	TEXT(decide_request, id, false), TEXT(decide_request, why, false)};
static const struct text_member trust_ca_texts[] = {TEXT(trust_ca_request, id, false),
	TEXT(trust_ca_request, why, false), TEXT(trust_ca_request, certificate, false),
	TEXT(trust_ca_request, manufacturers, true)};
static const struct text_member trusted_ca_texts[] = {TEXT(trust_ca_answer, certificate, false),
	TEXT(trust_ca_answer, subject, false), TEXT(trust_ca_answer, manufacturers, true)};

#define NUMBER(name)                                                                               \
	{                                                                                          \
#name, offsetof(struct waiting, name)                                              \
	}
static const struct {
	const char *key;
	size_t offset;
} numbers[] = {NUMBER(first_at), NUMBER(last_at), NUMBER(asked), NUMBER(decided_at)};

static void put_texts(
	json_t *object, const struct text_member *members, size_t n, const void *whole)
{
	for (size_t i = 0; i < n; i++) {
		const char *text = (const char *)whole + members[i].offset;

		if (text[0] != '\0' || !members[i].may_lack)
			json_put_string(object, members[i].key, text);
	}
}

static enum err read_texts(
	const json_t *object, const struct text_member *members, size_t n, void *whole)
{
	for (size_t i = 0; i < n; i++) {
		char *room = (char *)whole + members[i].offset;
		const char *text;

		room[0] = '\0';
		if (members[i].may_lack && json_object_get(object, members[i].key) == NULL)
			continue;
		TRY(json_string_of(object, members[i].key, members[i].room - 1, &text));
		snprintf(room, members[i].room, "%s", text);
	}
	return OK;
}

void waiting_init(struct waiting *waiting)
{
	*waiting = (struct waiting){.ek_public = BUF(LIMIT_PUBLIC),
		.ek_certificate = BUF(LIMIT_EK_CERTIFICATE),
		.ak_name = BUF(LIMIT_AK_NAME)};
	for (size_t i = 0; i < LIMIT_INTERMEDIATES; i++)
		waiting->chain[i] = BUF(LIMIT_INTERMEDIATE);
}

void waiting_free(struct waiting *waiting)
{
	buf_free(&waiting->ek_public);
	buf_free(&waiting->ek_certificate);
	buf_free(&waiting->ak_name);
	for (size_t i = 0; i < LIMIT_INTERMEDIATES; i++)
		buf_free(&waiting->chain[i]);
}

enum err waiting_list_init(struct waiting_list *list, size_t n)
{
	*list = (struct waiting_list){0};
	if ((list->items = calloc(n + 1, sizeof(*list->items))) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "waiting_list_init");
	for (size_t i = 0; i < n; i++)
		waiting_init(&list->items[i]);
	return OK;
}

void waiting_list_free(struct waiting_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		waiting_free(&list->items[i]);
	free(list->items);
	*list = (struct waiting_list){0};
}

static void put_evidence(json_t *object, const struct waiting *waiting)
{
	json_t *chain = json_array();

	json_put_bytes(object, "ek_public", buf_view(&waiting->ek_public));
	json_put_bytes(object, "ak_name", buf_view(&waiting->ak_name));
	if (waiting->ek_certificate.n > 0)
		json_put_bytes(object, "ek_certificate", buf_view(&waiting->ek_certificate));
	for (size_t i = 0; i < waiting->chain_n; i++)
		json_append(chain, json_from_bytes(buf_view(&waiting->chain[i])));
	json_put(object, "chain", chain);
}

static json_t *waiting_json(const struct waiting *waiting)
{
	json_t *object = json_object();

	put_texts(object, waiting_texts, COUNT(waiting_texts), waiting);
	json_put_string(object, "state", waiting_state_words[waiting->state]);
	for (size_t i = 0; i < COUNT(numbers); i++) {
		const char *at = (const char *)waiting + numbers[i].offset;

		json_put(object, numbers[i].key, json_integer(*(const int64_t *)(const void *)at));
	}
	if (waiting->ek_public.n > 0)
		put_evidence(object, waiting);
	return object;
}

enum err waiting_encode(const struct waiting *waiting, struct buf *json)
{
	return json_write(waiting_json(waiting), json);
}

enum err waiting_list_encode(const struct waiting_list *list, struct buf *json)
{
	json_t *object = json_object(), *items = json_array();

	for (size_t i = 0; i < list->n; i++)
		json_append(items, waiting_json(&list->items[i]));
	json_put(object, "pending", items);
	json_put(object, "more", json_boolean(list->more));
	return json_write(object, json);
}

static enum err read_state(const json_t *object, enum waiting_state *out)
{
	const char *word;

	TRY(json_string_of(object, "state", LIMIT_REASON, &word));
	for (int i = 0; waiting_state_words[i] != NULL; i++)
		if (strcmp(waiting_state_words[i], word) == 0) {
			*out = (enum waiting_state)i;
			return OK;
		}
	return fail(ERR_MALFORMED, "answer-unknown", "the service says \"%s\" of an attempt", word);
}

static enum err read_evidence(const json_t *object, struct waiting *out)
{
	json_t *chain = NULL;

	if (json_object_get(object, "ek_public") == NULL)
		return OK;
	TRY(json_bytes(object, "ek_public", LIMIT_PUBLIC, &out->ek_public));
	TRY(json_bytes(object, "ak_name", LIMIT_AK_NAME, &out->ak_name));
	if (json_object_get(object, "ek_certificate") != NULL)
		TRY(json_bytes(
			object, "ek_certificate", LIMIT_EK_CERTIFICATE, &out->ek_certificate));
	TRY(json_member(object, "chain", JSON_ARRAY, &chain));
	if (json_array_size(chain) > LIMIT_INTERMEDIATES)
		return refuse(ERR_MALFORMED, "field-too-long", "PROTOCOL limits",
			"\"chain\" has more than %d certificates", LIMIT_INTERMEDIATES);
	for (; out->chain_n < json_array_size(chain); out->chain_n++)
		TRY(json_bytes_value(json_array_get(chain, out->chain_n), "chain",
			LIMIT_INTERMEDIATE, &out->chain[out->chain_n]));
	return OK;
}

static enum err read_waiting(const json_t *object, struct waiting *out)
{
	TRY(JSON_ONLY(object, "id", "host", "from", "ek_digest", "manufacturer", "model", "version",
		"code", "sentence", "rule", "decided_by", "why", "state", "first_at", "last_at",
		"asked", "decided_at", "ek_public", "ak_name", "ek_certificate", "chain"));
	TRY(read_texts(object, waiting_texts, COUNT(waiting_texts), out));
	TRY(read_state(object, &out->state));
	for (size_t i = 0; i < COUNT(numbers); i++) {
		char *at = (char *)out + numbers[i].offset;
		json_t *value = NULL;

		TRY(json_member(object, numbers[i].key, JSON_INTEGER, &value));
		*(int64_t *)(void *)at = json_integer_value(value);
	}
	return read_evidence(object, out);
}

enum err waiting_parse(struct view json, struct waiting *out)
{
	AUTO(json_free) json_t *object = NULL;

	TRY(json_read(json, &object));
	return read_waiting(object, out);
}

enum err waiting_list_parse(struct view json, struct waiting_list *out)
{
	AUTO(json_free) json_t *object = NULL;
	json_t *items = NULL;

	*out = (struct waiting_list){0};
	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "pending", "more"));
	TRY(json_member(object, "pending", JSON_ARRAY, &items));
	if (json_array_size(items) > WAITING_MAX)
		return refuse(ERR_MALFORMED, "field-too-long", "PROTOCOL limits",
			"more than %d attempts in one answer", WAITING_MAX);
	if (!json_is_boolean(json_object_get(object, "more")))
		return refuse(ERR_MALFORMED, "json-type", "PROTOCOL encodings",
			"\"more\" is neither true nor false");
	TRY(waiting_list_init(out, json_array_size(items)));
	out->more = json_is_true(json_object_get(object, "more"));
	out->n = json_array_size(items); /* all are made, so all are freed */
	for (size_t i = 0; i < out->n; i++)
		TRY(read_waiting(json_array_get(items, i), &out->items[i]));
	return OK;
}

enum err decide_request_parse(struct view json, struct decide_request *out)
{
	AUTO(json_free) json_t *object = NULL;

	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "id", "why"));
	return read_texts(object, decide_texts, COUNT(decide_texts), out);
}

enum err decide_request_encode(const struct decide_request *request, struct buf *json)
{
	json_t *object = json_object();

	put_texts(object, decide_texts, COUNT(decide_texts), request);
	return json_write(object, json);
}

enum err decide_answer_encode(const char *id, enum waiting_state state, struct buf *json)
{
	json_t *object = json_object();

	json_put_string(object, "id", id);
	json_put_string(object, "state", waiting_state_words[state]);
	return json_write(object, json);
}

enum err trust_ca_request_parse(struct view json, struct trust_ca_request *out)
{
	AUTO(json_free) json_t *object = NULL;

	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "id", "why", "certificate", "manufacturers"));
	return read_texts(object, trust_ca_texts, COUNT(trust_ca_texts), out);
}

enum err trust_ca_request_encode(const struct trust_ca_request *request, struct buf *json)
{
	json_t *object = json_object();

	put_texts(object, trust_ca_texts, COUNT(trust_ca_texts), request);
	return json_write(object, json);
}

enum err trust_ca_answer_parse(struct view json, struct trust_ca_answer *out)
{
	AUTO(json_free) json_t *object = NULL;
	const json_t *known;

	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "certificate", "subject", "manufacturers", "known"));
	TRY(read_texts(object, trusted_ca_texts, COUNT(trusted_ca_texts), out));
	if (!json_is_boolean(known = json_object_get(object, "known")))
		return refuse(ERR_MALFORMED, "json-type", "PROTOCOL encodings",
			"\"known\" is neither true nor false");
	out->is_known = json_is_true(known);
	return OK;
}

enum err trust_ca_answer_encode(const struct trust_ca_answer *answer, struct buf *json)
{
	json_t *object = json_object();

	put_texts(object, trusted_ca_texts, COUNT(trusted_ca_texts), answer);
	json_put(object, "known", json_boolean(answer->is_known));
	return json_write(object, json);
}
