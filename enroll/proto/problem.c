#include "enroll/proto/problem.h"

#include "ca/base/printable.h"
#include "enroll/proto/json.h"

#include <stdio.h>
#include <string.h>

/*
 * A sentence may quote a stranger, cut in the middle of a character, and JSON takes only UTF-8: so
 * that nobody can keep a refusal from being written, only its ASCII is.
 */
static void put_ascii(json_t *object, const char *key, const char *text)
{
	char ascii[512];

	printable(text, ascii, sizeof(ascii));
	json_put_string(object, key, ascii);
}

static json_t *document(const struct reason *reason, const char *request_id)
{
	json_t *object = json_object();
	char type[128];

	snprintf(type, sizeof(type), PROBLEM_TYPE "%s", reason->code);
	json_put_string(object, "type", type);
	json_put_string(object, "title", err_title(reason->err));
	json_put(object, "status", json_integer(err_http(reason->err)));
	put_ascii(object, "detail", reason->sentence);
	json_put_string(object, "reason", reason->clause);
	json_put_string(object, "request_id", request_id);
	return object;
}

enum err problem_encode(const struct reason *reason, const char *request_id, struct buf *json)
{
	return json_write(document(reason, request_id), json);
}

enum err problem_encode_attempt(
	const struct reason *reason, const char *request_id, const char *attempt, struct buf *json)
{
	json_t *object = document(reason, request_id);

	json_put_string(object, "attempt", attempt);
	return json_write(object, json);
}

enum err problem_encode_list(
	const struct reason *reason, const char *request_id, struct view lines, struct buf *json)
{
	json_t *object = document(reason, request_id);

	json_put_lines(object, "problems", lines);
	return json_write(object, json);
}

enum err problem_list_parse(struct view json, struct buf *lines)
{
	AUTO(json_free) json_t *object = NULL;

	TRY(json_read(json, &object));
	return json_lines(object, "problems", lines);
}

/* A problem comes from whoever answered: what is not a string is taken as absent. */
static void copy(const json_t *object, const char *key, char *out, size_t room)
{
	const char *value = json_string_value(json_object_get(object, key));

	snprintf(out, room, "%s", value == NULL ? "" : value);
}

enum err problem_parse(struct view json, struct problem *out)
{
	AUTO(json_free) json_t *object = NULL;
	char type[128];

	TRY(json_read(json, &object));
	*out = (struct problem){0};
	copy(object, "type", type, sizeof(type));
	if (strncmp(type, PROBLEM_TYPE, strlen(PROBLEM_TYPE)) == 0)
		snprintf(out->code, sizeof(out->code), "%.63s", type + strlen(PROBLEM_TYPE));
	copy(object, "detail", out->detail, sizeof(out->detail));
	copy(object, "reason", out->reason, sizeof(out->reason));
	copy(object, "request_id", out->request_id, sizeof(out->request_id));
	copy(object, "attempt", out->attempt, sizeof(out->attempt));
	out->status = (int)json_integer_value(json_object_get(object, "status"));
	return OK;
}
