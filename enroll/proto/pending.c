#include "enroll/proto/pending.h"

#include "enroll/proto/field.h"

#include <stdlib.h>
#include <string.h>

const char *const waiting_state_words[] = {[WAITING_HELD] = "held",
	[WAITING_ACCEPTED] = "accepted",
	[WAITING_REJECTED] = "rejected",
	NULL};

#define TEXT(name) FIELD_TEXT(waiting, name)
#define TEXT_OR_NONE(name) FIELD_TEXT_OR_NONE(waiting, name)
#define NUMBER(name) FIELD_NUMBER(waiting, name)
static const struct field waiting_fields[] = {TEXT(id), TEXT_OR_NONE(host), TEXT_OR_NONE(from),
	TEXT(ek_digest), TEXT_OR_NONE(manufacturer), TEXT_OR_NONE(model), TEXT_OR_NONE(version),
	TEXT(code), TEXT_OR_NONE(sentence), TEXT_OR_NONE(rule), TEXT_OR_NONE(decided_by),
	TEXT_OR_NONE(why), NUMBER(first_at), NUMBER(last_at), NUMBER(asked), NUMBER(decided_at)};
static const struct field decide_fields[] = {
	FIELD_TEXT(decide_request, id), FIELD_TEXT(decide_request, why)};
static const struct field trust_ca_fields[] = {FIELD_TEXT(trust_ca_request, id),
	FIELD_TEXT(trust_ca_request, why), FIELD_TEXT(trust_ca_request, certificate),
	FIELD_TEXT_OR_NONE(trust_ca_request, manufacturers)};
static const struct field trusted_ca_fields[] = {FIELD_TEXT(trust_ca_answer, certificate),
	FIELD_TEXT(trust_ca_answer, subject), FIELD_TEXT_OR_NONE(trust_ca_answer, manufacturers)};

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

	fields_put(object, waiting_fields, COUNT(waiting_fields), waiting);
	json_put_string(object, "state", waiting_state_words[waiting->state]);
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
	TRY(fields_read(object, waiting_fields, COUNT(waiting_fields), out));
	TRY(read_state(object, &out->state));
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
	bool more;

	*out = (struct waiting_list){0};
	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "pending", "more"));
	TRY(json_member(object, "pending", JSON_ARRAY, &items));
	if (json_array_size(items) > WAITING_MAX)
		return refuse(ERR_MALFORMED, "field-too-long", "PROTOCOL limits",
			"more than %d attempts in one answer", WAITING_MAX);
	TRY(json_flag(object, "more", &more));
	TRY(waiting_list_init(out, json_array_size(items)));
	out->more = more;
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
	return fields_read(object, decide_fields, COUNT(decide_fields), out);
}

enum err decide_request_encode(const struct decide_request *request, struct buf *json)
{
	json_t *object = json_object();

	fields_put(object, decide_fields, COUNT(decide_fields), request);
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
	return fields_read(object, trust_ca_fields, COUNT(trust_ca_fields), out);
}

enum err trust_ca_request_encode(const struct trust_ca_request *request, struct buf *json)
{
	json_t *object = json_object();

	fields_put(object, trust_ca_fields, COUNT(trust_ca_fields), request);
	return json_write(object, json);
}

enum err trust_ca_answer_parse(struct view json, struct trust_ca_answer *out)
{
	AUTO(json_free) json_t *object = NULL;

	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "certificate", "subject", "manufacturers", "known"));
	TRY(fields_read(object, trusted_ca_fields, COUNT(trusted_ca_fields), out));
	return json_flag(object, "known", &out->is_known);
}

enum err trust_ca_answer_encode(const struct trust_ca_answer *answer, struct buf *json)
{
	json_t *object = json_object();

	fields_put(object, trusted_ca_fields, COUNT(trusted_ca_fields), answer);
	json_put(object, "known", json_boolean(answer->is_known));
	return json_write(object, json);
}
