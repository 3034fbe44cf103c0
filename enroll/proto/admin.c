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

void reload_answer_init(struct reload_answer *answer)
{
	*answer = (struct reload_answer){
		.changes = BUF(1 << 20), .warnings = BUF(1 << 20), .problems = BUF(1 << 20)};
}

void reload_answer_free(struct reload_answer *answer)
{
	buf_free(&answer->changes);
	buf_free(&answer->warnings);
	buf_free(&answer->problems);
}

enum err reload_answer_parse(struct view json, struct reload_answer *out)
{
	AUTO(json_free) json_t *object = NULL;
	struct {
		const char *key;
		char *value;
	} digests[] = {
		{"trust_version", out->trust_version},
		{"policy_version", out->policy_version},
		{"ca_certificate", out->ca_certificate},
	};

	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "trust_version", "policy_version", "ca_certificate", "changes",
		"warnings"));
	for (size_t i = 0; i < COUNT(digests); i++) {
		const char *value;

		TRY(json_string_of(object, digests[i].key, 2 * SHA256_SIZE, &value));
		snprintf(digests[i].value, 2 * SHA256_SIZE + 1, "%s", value);
	}
	TRY(json_lines(object, "changes", &out->changes));
	return json_lines(object, "warnings", &out->warnings);
}

enum err reload_answer_encode(const struct reload_answer *answer, struct buf *json)
{
	json_t *object = json_object();

	json_put_string(object, "trust_version", answer->trust_version);
	json_put_string(object, "policy_version", answer->policy_version);
	json_put_string(object, "ca_certificate", answer->ca_certificate);
	json_put_lines(object, "changes", buf_view(&answer->changes));
	json_put_lines(object, "warnings", buf_view(&answer->warnings));
	return json_write(object, json);
}
