#include "enroll/proto/message.h"

#include "enroll/proto/json.h"

#include <stdio.h>
#include <string.h>

/* A message that is one object with one member of bytes. */
static enum err parse_one(struct view json, const char *key, size_t max, struct buf *out)
{
	AUTO(json_free) json_t *object = NULL;

	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, key));
	return json_bytes(object, key, max, out);
}

static enum err encode_one(const char *key, struct view bytes, struct buf *json)
{
	json_t *object = json_object();

	json_put_bytes(object, key, bytes);
	return json_write(object, json);
}

enum err ticket_request_parse(struct view json, struct buf *claim)
{
	return parse_one(json, "claim", LIMIT_CLAIM, claim);
}

enum err ticket_request_encode(struct view claim, struct buf *json)
{
	return encode_one("claim", claim, json);
}

enum err sealed_parse(struct view json, struct buf *sealed)
{
	return parse_one(json, "sealed", LIMIT_ANSWER, sealed);
}

enum err sealed_encode(struct view sealed, struct buf *json)
{
	return encode_one("sealed", sealed, json);
}

void challenge_init(struct challenge *challenge)
{
	*challenge = (struct challenge){
		BUF(LIMIT_CREDENTIAL), BUF(LIMIT_CREDENTIAL), BUF(LIMIT_TICKET), 0};
}

void challenge_free(struct challenge *challenge)
{
	buf_free(&challenge->credential_blob);
	buf_free(&challenge->secret);
	buf_free(&challenge->ticket);
}

enum err challenge_parse(struct view json, struct challenge *out)
{
	AUTO(json_free) json_t *object = NULL;
	json_t *expires_at;

	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "credential_blob", "secret", "ticket", "expires_at"));
	TRY(json_bytes(object, "credential_blob", LIMIT_CREDENTIAL, &out->credential_blob));
	TRY(json_bytes(object, "secret", LIMIT_CREDENTIAL, &out->secret));
	TRY(json_bytes(object, "ticket", LIMIT_TICKET, &out->ticket));
	TRY(json_member(object, "expires_at", JSON_INTEGER, &expires_at));
	out->expires_at = json_integer_value(expires_at);
	return OK;
}

enum err challenge_encode(const struct challenge *challenge, struct buf *json)
{
	json_t *object = json_object();

	json_put_bytes(object, "credential_blob", buf_view(&challenge->credential_blob));
	json_put_bytes(object, "secret", buf_view(&challenge->secret));
	json_put_bytes(object, "ticket", buf_view(&challenge->ticket));
	json_put(object, "expires_at", json_integer(challenge->expires_at));
	return json_write(object, json);
}

void enroll_request_init(struct enroll_request *request)
{
	*request = (struct enroll_request){
		BUF(LIMIT_TICKET), BUF(LIMIT_CLAIM), BUF(LIMIT_REQUEST), {0}};
}

void enroll_request_free(struct enroll_request *request)
{
	buf_free(&request->ticket);
	buf_free(&request->claim);
	buf_free(&request->request);
}

enum err enroll_request_parse(struct view json, struct enroll_request *out)
{
	AUTO(json_free) json_t *object = NULL;
	AUTO(buf_free) struct buf proof = BUF(sizeof(out->proof));

	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "ticket", "claim", "request", "proof"));
	TRY(json_bytes(object, "ticket", LIMIT_TICKET, &out->ticket));
	TRY(json_bytes(object, "claim", LIMIT_CLAIM, &out->claim));
	TRY(json_bytes(object, "request", LIMIT_REQUEST, &out->request));
	TRY(json_bytes(object, "proof", sizeof(out->proof), &proof));
	if (proof.n != sizeof(out->proof))
		return refuse(ERR_MALFORMED, "json-type", "PROTOCOL proof", "a proof has %zu bytes",
			sizeof(out->proof));
	memcpy(out->proof, proof.p, sizeof(out->proof));
	return OK;
}

enum err enroll_request_encode(const struct enroll_request *request, struct buf *json)
{
	json_t *object = json_object();

	json_put_bytes(object, "ticket", buf_view(&request->ticket));
	json_put_bytes(object, "claim", buf_view(&request->claim));
	json_put_bytes(object, "request", buf_view(&request->request));
	json_put_bytes(object, "proof", VIEW(request->proof));
	return json_write(object, json);
}

static enum err parse_purpose(const json_t *object, struct request *out)
{
	const char *purpose;

	if (json_object_get(object, "purpose") == NULL)
		return OK;
	TRY(json_string_of(object, "purpose", LIMIT_PURPOSE, &purpose));
	if (strcmp(purpose, "check") != 0)
		return refuse(ERR_MALFORMED, "request-purpose", "PROTOCOL request",
			"the purpose is \"%s\"; it is \"check\", or left out to enroll", purpose);
	out->is_check = true;
	return OK;
}

enum err request_parse(struct view json, struct request *out)
{
	AUTO(json_free) json_t *object = NULL;
	json_t *keys, *key;
	const char *template;
	size_t i;

	*out = (struct request){0};
	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "keys", "purpose"));
	TRY(parse_purpose(object, out));
	TRY(json_member(object, "keys", JSON_ARRAY, &keys));
	if (json_array_size(keys) == 0 || json_array_size(keys) > LIMIT_KEYS)
		return refuse(ERR_MALFORMED, "request-keys", "PROTOCOL request",
			"asks for certificates for %zu keys, this version takes 1 to %d",
			json_array_size(keys), LIMIT_KEYS);
	json_array_foreach (keys, i, key) {
		TRY(JSON_ONLY(key, "template"));
		TRY(json_string_of(key, "template", LIMIT_TEMPLATE_NAME, &template));
		snprintf(out->keys[i].template, sizeof(out->keys[i].template), "%s", template);
		out->keys_n++;
	}
	return OK;
}

enum err request_encode(const struct request *request, struct buf *json)
{
	json_t *object = json_object(), *keys = json_array();

	for (size_t i = 0; i < request->keys_n; i++) {
		json_t *key = json_object();

		json_put_string(key, "template", request->keys[i].template);
		json_append(keys, key);
	}
	json_put(object, "keys", keys);
	if (request->is_check)
		json_put_string(object, "purpose", "check");
	return json_write(object, json);
}
