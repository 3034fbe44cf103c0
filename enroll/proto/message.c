#include "enroll/proto/message.h"

#include "enroll/proto/json.h"

#include <stdio.h>
#include <string.h>

enum err ticket_request_parse(struct view json, struct buf *claim)
{
	return json_read_bytes(json, "claim", LIMIT_CLAIM, claim);
}

enum err ticket_request_encode(struct view claim, struct buf *json)
{
	return json_write_bytes("claim", claim, json);
}

enum err sealed_parse(struct view json, struct buf *sealed)
{
	return json_read_bytes(json, "sealed", LIMIT_ANSWER, sealed);
}

enum err sealed_encode(struct view sealed, struct buf *json)
{
	return json_write_bytes("sealed", sealed, json);
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

void request_init(struct request *request)
{
	*request = (struct request){0};
	for (size_t i = 0; i < LIMIT_KEYS; i++)
		request->keys[i] = (struct request_key){.public = BUF(LIMIT_PUBLIC),
			.attest = BUF(LIMIT_ATTEST),
			.signature = BUF(LIMIT_SIGNATURE),
			.spki = BUF(LIMIT_SPKI),
			.ssh = BUF(LIMIT_SPKI)};
}

void request_free(struct request *request)
{
	for (size_t i = 0; i < LIMIT_KEYS; i++) {
		buf_free(&request->keys[i].public);
		buf_free(&request->keys[i].attest);
		buf_free(&request->keys[i].signature);
		buf_free(&request->keys[i].spki);
		buf_free(&request->keys[i].ssh);
	}
}

static enum err optional_bytes(const json_t *object, const char *key, size_t max, struct buf *out)
{
	if (json_object_get(object, key) == NULL)
		return OK;
	TRY(json_bytes(object, key, max, out));
	if (out->n == 0)
		return refuse(ERR_MALFORMED, "json-type", "PROTOCOL request",
			"the value of \"%s\" is empty: leave it out", key);
	return OK;
}

static enum err parse_key(const json_t *key, struct request_key *out)
{
	const char *template;

	TRY(JSON_ONLY(key, "template", "public", "attest", "signature", "spki", "ssh"));
	TRY(json_string_of(key, "template", LIMIT_TEMPLATE_NAME, &template));
	snprintf(out->template, sizeof(out->template), "%s", template);
	TRY(optional_bytes(key, "public", LIMIT_PUBLIC, &out->public));
	TRY(optional_bytes(key, "attest", LIMIT_ATTEST, &out->attest));
	TRY(optional_bytes(key, "signature", LIMIT_SIGNATURE, &out->signature));
	TRY(optional_bytes(key, "spki", LIMIT_SPKI, &out->spki));
	return optional_bytes(key, "ssh", LIMIT_SPKI, &out->ssh);
}

static enum err parse_keys(const json_t *object, struct request *out)
{
	json_t *keys, *key;
	size_t i;

	TRY(json_member(object, "keys", JSON_ARRAY, &keys));
	if (json_array_size(keys) == 0 || json_array_size(keys) > LIMIT_KEYS)
		return refuse(ERR_MALFORMED, "request-keys", "PROTOCOL request",
			"asks for %zu certificates, this version takes 1 to %d",
			json_array_size(keys), LIMIT_KEYS);
	json_array_foreach (keys, i, key) {
		TRY(parse_key(key, &out->keys[i]));
		out->keys_n++;
	}
	return OK;
}

enum err request_parse(struct view json, struct request *out)
{
	AUTO(json_free) json_t *object = NULL;

	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "keys", "purpose"));
	TRY(parse_purpose(object, out));
	return parse_keys(object, out);
}

enum err renewal_request_parse(struct view json, struct request *out)
{
	AUTO(json_free) json_t *object = NULL;
	const char *host;

	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "keys", "host"));
	TRY(json_string_of(object, "host", LIMIT_HOST, &host));
	snprintf(out->host, sizeof(out->host), "%s", host);
	return parse_keys(object, out);
}

static void put_optional(json_t *object, const char *key, const struct buf *bytes)
{
	if (bytes->n > 0)
		json_put_bytes(object, key, buf_view(bytes));
}

static json_t *key_object(const struct request_key *from)
{
	json_t *key = json_object();

	json_put_string(key, "template", from->template);
	put_optional(key, "public", &from->public);
	put_optional(key, "attest", &from->attest);
	put_optional(key, "signature", &from->signature);
	put_optional(key, "spki", &from->spki);
	put_optional(key, "ssh", &from->ssh);
	return key;
}

enum err request_encode(const struct request *request, struct buf *json)
{
	json_t *object = json_object(), *keys = json_array();

	for (size_t i = 0; i < request->keys_n; i++)
		json_append(keys, key_object(&request->keys[i]));
	json_put(object, "keys", keys);
	if (request->host[0] != '\0')
		json_put_string(object, "host", request->host);
	if (request->is_check)
		json_put_string(object, "purpose", "check");
	return json_write(object, json);
}
