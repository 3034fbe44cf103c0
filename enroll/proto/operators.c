#include "enroll/proto/operators.h"

#include "enroll/proto/field.h"

#include <stdlib.h>

static const struct field whoami_fields[] = {FIELD_TEXT(whoami, who), FIELD_TEXT(whoami, role),
	FIELD_TEXT(whoami, by), FIELD_NUMBER(whoami, until)};

static enum err read_whole(struct view json, const struct field *fields, size_t n, void *whole)
{
	AUTO(json_free) json_t *object = NULL;
	const char *keys[8];

	for (size_t i = 0; i < n; i++)
		keys[i] = fields[i].key;
	TRY(json_read(json, &object));
	TRY(json_only(object, keys, n));
	return fields_read(object, fields, n, whole);
}

static enum err write_whole(
	const struct field *fields, size_t n, const void *whole, struct buf *json)
{
	json_t *object = json_object();

	fields_put(object, fields, n, whole);
	return json_write(object, json);
}

enum err whoami_parse(struct view json, struct whoami *out)
{
	*out = (struct whoami){0};
	return read_whole(json, whoami_fields, COUNT(whoami_fields), out);
}

enum err whoami_encode(const struct whoami *whoami, struct buf *json)
{
	return write_whole(whoami_fields, COUNT(whoami_fields), whoami, json);
}

/* The role last: not every request has it. */
static const struct field request_fields[] = {FIELD_TEXT(operator_request, name),
	FIELD_TEXT(operator_request, why), FIELD_TEXT(operator_request, role)};

enum err operator_request_parse(struct view json, bool has_role, struct operator_request *out)
{
	*out = (struct operator_request){.name = ""};
	return read_whole(json, request_fields, COUNT(request_fields) - !has_role, out);
}

enum err operator_request_encode(
	const struct operator_request *request, bool has_role, struct buf *json)
{
	return write_whole(request_fields, COUNT(request_fields) - !has_role, request, json);
}

static const struct field answer_fields[] = {FIELD_TEXT(operator_answer, name),
	FIELD_TEXT_OR_NONE(operator_answer, role), FIELD_NUMBER(operator_answer, tokens)};

enum err operator_answer_parse(struct view json, struct operator_answer *out)
{
	*out = (struct operator_answer){.name = ""};
	return read_whole(json, answer_fields, COUNT(answer_fields), out);
}

enum err operator_answer_encode(const struct operator_answer *answer, struct buf *json)
{
	return write_whole(answer_fields, COUNT(answer_fields), answer, json);
}

static const struct field revoke_fields[] = {
	FIELD_TEXT(operator_revoke_request, certificate_sha256),
	FIELD_TEXT_OR_NONE(operator_revoke_request, name),
	FIELD_TEXT(operator_revoke_request, why)};

enum err operator_revoke_request_parse(struct view json, struct operator_revoke_request *out)
{
	*out = (struct operator_revoke_request){.name = ""};
	return read_whole(json, revoke_fields, COUNT(revoke_fields), out);
}

enum err operator_revoke_request_encode(
	const struct operator_revoke_request *request, struct buf *json)
{
	return write_whole(revoke_fields, COUNT(revoke_fields), request, json);
}

enum err operator_revoke_answer_encode(const char *certificate_sha256, struct buf *json)
{
	json_t *object = json_object();

	json_put_string(object, "certificate_sha256", certificate_sha256);
	return json_write(object, json);
}

static const struct field item_fields[] = {FIELD_TEXT(operator_item, name),
	FIELD_TEXT(operator_item, role), FIELD_TEXT(operator_item, created_by),
	FIELD_TEXT_OR_NONE(operator_item, disabled_by), FIELD_NUMBER(operator_item, created_at),
	FIELD_NUMBER(operator_item, disabled_at)};
static const struct field revoked_fields[] = {FIELD_TEXT(operator_revoked, certificate_sha256),
	FIELD_TEXT_OR_NONE(operator_revoked, name), FIELD_TEXT(operator_revoked, revoked_by),
	FIELD_TEXT(operator_revoked, why), FIELD_NUMBER(operator_revoked, revoked_at)};
static const struct field token_fields[] = {FIELD_TEXT(token_item, name),
	FIELD_TEXT(token_item, role), FIELD_TEXT(token_item, created_by),
	FIELD_TEXT_OR_NONE(token_item, revoked_by), FIELD_NUMBER(token_item, created_at),
	FIELD_NUMBER(token_item, expires_at), FIELD_NUMBER(token_item, revoked_at),
	FIELD_NUMBER(token_item, used_at)};

/* Rows of one kind, as a list of objects. */
struct rows {
	const struct field *fields;
	size_t fields_n;
	size_t size; /* of a row */
};
#define ROWS(fields, of) ((struct rows){fields, COUNT(fields), sizeof(struct of)})

static void put_rows(json_t *object, const char *key, struct rows rows, const void *items, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		json_t *item = json_object();

		fields_put(item, rows.fields, rows.fields_n, (const char *)items + i * rows.size);
		json_append(list, item);
	}
	json_put(object, key, list);
}

/* `*items` becomes the caller's, for free(), also after a failure. */
static enum err read_rows(
	const json_t *object, const char *key, struct rows rows, void **items, size_t *n)
{
	const char *keys[8];
	json_t *list = NULL;

	for (size_t i = 0; i < rows.fields_n; i++)
		keys[i] = rows.fields[i].key;
	TRY(json_member(object, key, JSON_ARRAY, &list));
	if (json_array_size(list) > OPERATORS_MAX)
		return refuse(ERR_MALFORMED, "field-too-long", "PROTOCOL limits",
			"more than %d entries in one answer", OPERATORS_MAX);
	if ((*items = calloc(json_array_size(list) + 1, rows.size)) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "read_rows");
	for (; *n < json_array_size(list); ++*n) {
		const json_t *item = json_array_get(list, *n);

		TRY(json_only(item, keys, rows.fields_n));
		TRY(fields_read(item, rows.fields, rows.fields_n, (char *)*items + *n * rows.size));
	}
	return OK;
}

enum err operator_list_init(struct operator_list *list, size_t n, size_t revoked_n)
{
	*list = (struct operator_list){.items = calloc(n + 1, sizeof(*list->items)),
		.revoked = calloc(revoked_n + 1, sizeof(*list->revoked))};
	return list->items == NULL || list->revoked == NULL
		       ? fail(ERR_INTERNAL, "out-of-memory", "operator_list_init")
		       : OK;
}

void operator_list_free(struct operator_list *list)
{
	free(list->items);
	free(list->revoked);
	*list = (struct operator_list){0};
}

enum err operator_list_parse(struct view json, struct operator_list *out)
{
	AUTO(json_free) json_t *object = NULL;
	void *items = NULL, *revoked = NULL;
	enum err err;

	*out = (struct operator_list){0};
	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "operators", "revoked_certificates", "more"));
	err = read_rows(object, "operators", ROWS(item_fields, operator_item), &items, &out->n);
	out->items = items;
	TRY(err);
	err = read_rows(object, "revoked_certificates", ROWS(revoked_fields, operator_revoked),
		&revoked, &out->revoked_n);
	out->revoked = revoked;
	TRY(err);
	return json_flag(object, "more", &out->more);
}

enum err operator_list_encode(const struct operator_list *list, struct buf *json)
{
	json_t *object = json_object();

	put_rows(object, "operators", ROWS(item_fields, operator_item), list->items, list->n);
	put_rows(object, "revoked_certificates", ROWS(revoked_fields, operator_revoked),
		list->revoked, list->revoked_n);
	json_put(object, "more", json_boolean(list->more));
	return json_write(object, json);
}

static const struct field create_fields[] = {FIELD_TEXT(token_request, name),
	FIELD_TEXT(token_request, role), FIELD_TEXT(token_request, why),
	FIELD_NUMBER(token_request, expires_in)};

enum err token_request_parse(struct view json, struct token_request *out)
{
	*out = (struct token_request){.name = ""};
	return read_whole(json, create_fields, COUNT(create_fields), out);
}

enum err token_request_encode(const struct token_request *request, struct buf *json)
{
	return write_whole(create_fields, COUNT(create_fields), request, json);
}

static const struct field created_fields[] = {FIELD_TEXT(token_answer, name),
	FIELD_TEXT(token_answer, role), FIELD_TEXT(token_answer, token),
	FIELD_NUMBER(token_answer, expires_at)};

void token_answer_wipe(struct token_answer *answer)
{
	secret_wipe(answer, sizeof(*answer));
}

enum err token_answer_parse(struct view json, struct token_answer *out)
{
	*out = (struct token_answer){.name = ""};
	return read_whole(json, created_fields, COUNT(created_fields), out);
}

enum err token_answer_encode(const struct token_answer *answer, struct buf *json)
{
	return write_whole(created_fields, COUNT(created_fields), answer, json);
}

enum err token_list_init(struct token_list *list, size_t n)
{
	*list = (struct token_list){.items = calloc(n + 1, sizeof(*list->items))};
	return list->items == NULL ? fail(ERR_INTERNAL, "out-of-memory", "token_list_init") : OK;
}

void token_list_free(struct token_list *list)
{
	free(list->items);
	*list = (struct token_list){0};
}

enum err token_list_parse(struct view json, struct token_list *out)
{
	AUTO(json_free) json_t *object = NULL;
	void *items = NULL;
	enum err err;

	*out = (struct token_list){0};
	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "tokens", "more"));
	err = read_rows(object, "tokens", ROWS(token_fields, token_item), &items, &out->n);
	out->items = items;
	TRY(err);
	return json_flag(object, "more", &out->more);
}

enum err token_list_encode(const struct token_list *list, struct buf *json)
{
	json_t *object = json_object();

	put_rows(object, "tokens", ROWS(token_fields, token_item), list->items, list->n);
	json_put(object, "more", json_boolean(list->more));
	return json_write(object, json);
}
