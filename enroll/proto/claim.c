#include "enroll/proto/claim.h"

#include "enroll/proto/json.h"

#include <stdio.h>
#include <stdlib.h>

struct claim_store {
	char service[LIMIT_SERVICE + 1], host[LIMIT_HOST + 1];
	struct buf bytes[3 + LIMIT_INTERMEDIATES];
	size_t used;
	unsigned holders; /* counted atomically */
};

static enum err bytes_field(
	struct claim *claim, const json_t *value, const char *key, size_t max, struct view *out)
{
	struct buf *bytes = &claim->store->bytes[claim->store->used++];

	*bytes = BUF(max);
	TRY(json_bytes_value(value, key, max, bytes));
	if (bytes->n == 0)
		return refuse(
			ERR_MALFORMED, "json-type", "PROTOCOL encodings", "\"%s\" is empty", key);
	*out = buf_view(bytes);
	return OK;
}

static enum err optional_bytes(
	struct claim *claim, const json_t *object, const char *key, size_t max, struct view *out)
{
	const json_t *value = json_object_get(object, key);

	return value == NULL ? OK : bytes_field(claim, value, key, max, out);
}

static enum err parse_chain(struct claim *claim, const json_t *ek)
{
	json_t *chain, *value;
	size_t i;

	if (json_object_get(ek, "chain") == NULL)
		return OK;
	TRY(json_member(ek, "chain", JSON_ARRAY, &chain));
	if (json_array_size(chain) > LIMIT_INTERMEDIATES)
		return refuse(ERR_MALFORMED, "field-too-long", "PROTOCOL limits",
			"\"chain\" has more than %d certificates", LIMIT_INTERMEDIATES);
	json_array_foreach (chain, i, value) {
		TRY(bytes_field(claim, value, "chain", LIMIT_INTERMEDIATE, &claim->ek_chain[i]));
		claim->ek_chain_n++;
	}
	return OK;
}

static enum err parse_ek(struct claim *claim, const json_t *ek)
{
	TRY(JSON_ONLY(ek, "certificate", "public", "chain"));
	TRY(optional_bytes(claim, ek, "certificate", LIMIT_EK_CERTIFICATE, &claim->ek_certificate));
	TRY(optional_bytes(claim, ek, "public", LIMIT_PUBLIC, &claim->ek_public));
	return parse_chain(claim, ek);
}

static enum err parse_ak(struct claim *claim, const json_t *ak)
{
	json_t *value;

	TRY(JSON_ONLY(ak, "public"));
	TRY(json_member(ak, "public", JSON_STRING, &value));
	return bytes_field(claim, value, "public", LIMIT_PUBLIC, &claim->ak_public);
}

static enum err parse_words(struct claim *claim, const json_t *object)
{
	struct claim_store *store = claim->store;
	const char *text;

	TRY(json_string_of(object, "service", LIMIT_SERVICE, &text));
	snprintf(store->service, sizeof(store->service), "%s", text);
	claim->service = store->service;
	if (json_object_get(object, "host") == NULL)
		return OK;
	TRY(json_string_of(object, "host", LIMIT_HOST, &text));
	snprintf(store->host, sizeof(store->host), "%s", text);
	claim->host = store->host;
	return OK;
}

enum err claim_parse(struct view json, struct claim **out)
{
	AUTO(claim_free) struct claim *claim = calloc(1, sizeof(*claim));
	AUTO(json_free) json_t *object = NULL;
	json_t *ek, *ak;

	if (claim == NULL || (claim->store = calloc(1, sizeof(*claim->store))) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "claim_parse");
	claim->store->holders = 1;
	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "service", "host", "ek", "ak"));
	TRY(parse_words(claim, object));
	TRY(json_member(object, "ek", JSON_OBJECT, &ek));
	TRY(parse_ek(claim, ek));
	TRY(json_member(object, "ak", JSON_OBJECT, &ak));
	TRY(parse_ak(claim, ak));
	*out = MOVE(claim);
	return OK;
}

void claim_free(struct claim **claim)
{
	struct claim *held = MOVE(*claim);

	if (held == NULL || (held->store != NULL && __atomic_sub_fetch(&held->store->holders, 1,
							    __ATOMIC_ACQ_REL) > 0))
		return;
	for (size_t i = 0; held->store != NULL && i < held->store->used; i++)
		buf_free(&held->store->bytes[i]);
	free(held->store);
	free(held);
}

struct claim *claim_share(struct claim *claim)
{
	__atomic_add_fetch(&claim->store->holders, 1, __ATOMIC_RELAXED);
	return claim;
}

static void put_chain(json_t *ek, const struct claim *claim)
{
	json_t *chain = json_array();

	for (size_t i = 0; i < claim->ek_chain_n; i++)
		json_append(chain, json_from_bytes(claim->ek_chain[i]));
	json_put(ek, "chain", chain);
}

enum err claim_encode(const struct claim *claim, struct buf *json)
{
	json_t *object = json_object(), *ek = json_object(), *ak = json_object();

	json_put_string(object, "service", claim->service);
	if (claim->host != NULL)
		json_put_string(object, "host", claim->host);
	if (claim->ek_certificate.n > 0)
		json_put_bytes(ek, "certificate", claim->ek_certificate);
	if (claim->ek_public.n > 0)
		json_put_bytes(ek, "public", claim->ek_public);
	if (claim->ek_chain_n > 0)
		put_chain(ek, claim);
	json_put_bytes(ak, "public", claim->ak_public);
	json_put(object, "ek", ek);
	json_put(object, "ak", ak);
	return json_write(object, json);
}
