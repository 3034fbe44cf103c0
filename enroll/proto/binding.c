#include "enroll/proto/binding.h"

#include "enroll/proto/field.h"
#include "enroll/proto/labels_json.h"

#include <stdio.h>
#include <stdlib.h>

void label_request_init(struct label_request *request)
{
	*request = (struct label_request){.set = BUF(LIMIT_LABELS), .remove = BUF(LIMIT_LABELS)};
}

void label_request_free(struct label_request *request)
{
	buf_free(&request->set);
	buf_free(&request->remove);
}

static enum err no_list(void)
{
	return refuse(ERR_MALFORMED, "labels", "PROTOCOL admin",
		"remove is no list of at most %d labels' names", LABELS_MAX);
}

static enum err read_remove(const json_t *list, struct buf *out)
{
	AUTO(mem_free) char *text = NULL;
	const json_t *name;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > LABELS_MAX)
		return no_list();
	json_array_foreach (list, i, name)
		if (!json_is_string(name) || json_string_length(name) > LIMIT_LABEL_NAME)
			return no_list();
	if ((text = json_dumps(list, JSON_COMPACT | JSON_ENSURE_ASCII)) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "label_request_parse");
	buf_str(out, text);
	return buf_ok(out);
}

static const struct field label_fields[] = {
	FIELD_TEXT(label_request, device_id), FIELD_TEXT(label_request, why)};

enum err label_request_parse(struct view json, struct label_request *out)
{
	AUTO(json_free) json_t *object = NULL;
	const json_t *set, *remove;

	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "device_id", "set", "remove", "why"));
	TRY(fields_read(object, label_fields, COUNT(label_fields), out));
	set = json_object_get(object, "set");
	remove = json_object_get(object, "remove");
	if (json_object_size(set) == 0 && json_array_size(remove) == 0)
		return refuse(ERR_MALFORMED, "labels", "PROTOCOL admin",
			"there is no label to set, and none to remove");
	if (set == NULL)
		buf_str(&out->set, "{}");
	else
		TRY(labels_read(set, &out->set));
	if (remove == NULL)
		buf_str(&out->remove, "[]");
	else
		TRY(read_remove(remove, &out->remove));
	return OK;
}

enum err label_request_encode(const struct label_request *request, struct buf *json)
{
	json_t *object = json_object();

	fields_put(object, label_fields, COUNT(label_fields), request);
	if (request->set.n > 0)
		json_put(object, "set", labels_object(buf_text(&request->set)));
	if (request->remove.n > 0)
		json_put(object, "remove", json_loads(buf_text(&request->remove), 0, NULL));
	return json_write(object, json);
}

enum err label_answer_encode(const char *device_id, const char *labels, struct buf *json)
{
	json_t *object = json_object();

	json_put_string(object, "device_id", device_id);
	json_put(object, "labels", labels_object(labels));
	return json_write(object, json);
}

enum err label_answer_parse(struct view json, struct buf *labels)
{
	AUTO(json_free) json_t *object = NULL;
	json_t *value = NULL;

	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "device_id", "labels"));
	TRY(json_member(object, "labels", JSON_OBJECT, &value));
	return labels_read(value, labels);
}

static const struct field rebind_fields[] = {FIELD_TEXT(rebind_request, host),
	FIELD_TEXT(rebind_request, ek_digest), FIELD_TEXT(rebind_request, why)};
static const struct field rebound_fields[] = {FIELD_TEXT(rebind_answer, host),
	FIELD_TEXT(rebind_answer, device_id), FIELD_NUMBER(rebind_answer, revoked)};

enum err rebind_request_parse(struct view json, struct rebind_request *out)
{
	AUTO(json_free) json_t *object = NULL;

	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "host", "ek_digest", "why"));
	return fields_read(object, rebind_fields, COUNT(rebind_fields), out);
}

enum err rebind_request_encode(const struct rebind_request *request, struct buf *json)
{
	json_t *object = json_object();

	fields_put(object, rebind_fields, COUNT(rebind_fields), request);
	return json_write(object, json);
}

enum err rebind_answer_parse(struct view json, struct rebind_answer *out)
{
	AUTO(json_free) json_t *object = NULL;

	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "host", "device_id", "revoked"));
	return fields_read(object, rebound_fields, COUNT(rebound_fields), out);
}

enum err rebind_answer_encode(const struct rebind_answer *answer, struct buf *json)
{
	json_t *object = json_object();

	fields_put(object, rebound_fields, COUNT(rebound_fields), answer);
	return json_write(object, json);
}
