#include "enroll/proto/admin.h"

#include "enroll/proto/json.h"

#include <stdio.h>

/* Two strings in one object, each copied into its room. */
struct pair {
	const char *key;
	char *value;
	size_t room;
};

static enum err parse_pairs(struct view json, const struct pair *a, const struct pair *b)
{
	AUTO(json_free) json_t *object = NULL;
	const struct pair *const pairs[] = {a, b};

	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, a->key, b->key));
	for (size_t i = 0; i < COUNT(pairs); i++) {
		const char *value;

		TRY(json_string_of(object, pairs[i]->key, pairs[i]->room - 1, &value));
		snprintf(pairs[i]->value, pairs[i]->room, "%s", value);
	}
	return OK;
}

static enum err encode_pairs(
	const char *key_a, const char *a, const char *key_b, const char *b, struct buf *json)
{
	json_t *object = json_object();

	json_put_string(object, key_a, a);
	json_put_string(object, key_b, b);
	return json_write(object, json);
}

enum err unbind_request_parse(struct view json, struct unbind_request *out)
{
	return parse_pairs(json, &(struct pair){"host", out->host, sizeof(out->host)},
		&(struct pair){"why", out->why, sizeof(out->why)});
}

enum err unbind_request_encode(const struct unbind_request *request, struct buf *json)
{
	return encode_pairs("host", request->host, "why", request->why, json);
}

enum err unbind_answer_parse(struct view json, struct unbind_answer *out)
{
	return parse_pairs(json, &(struct pair){"host", out->host, sizeof(out->host)},
		&(struct pair){"device_id", out->device_id, sizeof(out->device_id)});
}

enum err unbind_answer_encode(const struct unbind_answer *answer, struct buf *json)
{
	return encode_pairs("host", answer->host, "device_id", answer->device_id, json);
}
