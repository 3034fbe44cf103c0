#include "enroll/proto/answer.h"

#include "enroll/proto/json.h"

#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 512
#define CERTIFICATE_MAX 8192

struct answer_store {
	json_t *json;
	struct buf chain;
	struct buf bytes[ANSWER_CERTIFICATES + ANSWER_INTERMEDIATES + 2];
	size_t used;
};

static enum err bytes_field(
	struct answer *answer, const json_t *value, const char *key, struct view *out)
{
	struct buf *bytes = &answer->store->bytes[answer->store->used++];

	*bytes = BUF(CERTIFICATE_MAX);
	TRY(json_bytes_value(value, key, CERTIFICATE_MAX, bytes));
	*out = buf_view(bytes);
	return OK;
}

/* What nothing has proven of the TPM is left out. */
static enum err tpm_fact(const json_t *tpm, const char *key, const char **out)
{
	*out = "";
	return json_object_get(tpm, key) == NULL ? OK
						 : json_string_of(tpm, key, NAME_MAX_BYTES, out);
}

static enum err parse_tpm(struct answer *answer, const json_t *object)
{
	json_t *tpm;

	TRY(json_member(object, "tpm", JSON_OBJECT, &tpm));
	TRY(JSON_ONLY(tpm, "manufacturer", "model", "version"));
	TRY(tpm_fact(tpm, "manufacturer", &answer->tpm_manufacturer));
	TRY(tpm_fact(tpm, "model", &answer->tpm_model));
	return tpm_fact(tpm, "version", &answer->tpm_version);
}

static enum err parse_trust(struct answer *answer, const json_t *object)
{
	json_t *trust, *chain, *name;
	size_t i;

	TRY(json_member(object, "trust", JSON_OBJECT, &trust));
	TRY(JSON_ONLY(trust, "class", "source", "chain"));
	TRY(json_string_of(trust, "class", NAME_MAX_BYTES, &answer->trust_class));
	TRY(json_string_of(trust, "source", NAME_MAX_BYTES, &answer->trust_source));
	TRY(json_member(trust, "chain", JSON_ARRAY, &chain));
	answer->store->chain = BUF(16 * NAME_MAX_BYTES);
	json_array_foreach (chain, i, name) {
		if (!json_is_string(name))
			return refuse(ERR_MALFORMED, "json-type", "PROTOCOL answer",
				"the value of \"chain\" has the wrong type");
		buf_fmt(&answer->store->chain, "%s%s", i > 0 ? "\n" : "", json_string_value(name));
	}
	TRY(buf_ok(&answer->store->chain));
	answer->trust_chain = buf_text(&answer->store->chain);
	return OK;
}

static enum err parse_certificates(struct answer *answer, const json_t *object)
{
	json_t *certificates, *entry, *der;
	size_t i;

	TRY(json_member(object, "certificates", JSON_ARRAY, &certificates));
	if (json_array_size(certificates) > ANSWER_CERTIFICATES)
		return refuse(ERR_MALFORMED, "field-too-long", "PROTOCOL limits",
			"more than %d certificates", ANSWER_CERTIFICATES);
	json_array_foreach (certificates, i, entry) {
		TRY(JSON_ONLY(entry, "template", "certificate"));
		TRY(json_string_of(
			entry, "template", LIMIT_TEMPLATE_NAME, &answer->certificates[i].template));
		TRY(json_member(entry, "certificate", JSON_STRING, &der));
		TRY(bytes_field(answer, der, "certificate", &answer->certificates[i].der));
		answer->certificates_n++;
	}
	return OK;
}

static enum err parse_ssh_ca(
	struct answer *answer, const json_t *ca, const char *key, struct view *out)
{
	const json_t *value = json_object_get(ca, key);

	return value == NULL ? OK : bytes_field(answer, value, key, out);
}

static enum err parse_ca(struct answer *answer, const json_t *object)
{
	json_t *ca, *intermediates, *der;
	size_t i;

	TRY(json_member(object, "ca", JSON_OBJECT, &ca));
	TRY(JSON_ONLY(ca, "intermediates", "ssh_host", "ssh_user"));
	TRY(json_member(ca, "intermediates", JSON_ARRAY, &intermediates));
	if (json_array_size(intermediates) > ANSWER_INTERMEDIATES)
		return refuse(ERR_MALFORMED, "field-too-long", "PROTOCOL limits",
			"more than %d intermediates", ANSWER_INTERMEDIATES);
	json_array_foreach (intermediates, i, der) {
		TRY(bytes_field(answer, der, "intermediates", &answer->intermediates[i]));
		answer->intermediates_n++;
	}
	TRY(parse_ssh_ca(answer, ca, "ssh_host", &answer->ssh_host_ca));
	return parse_ssh_ca(answer, ca, "ssh_user", &answer->ssh_user_ca);
}

enum err answer_parse(struct view json, struct answer **out)
{
	AUTO(answer_free) struct answer *answer = calloc(1, sizeof(*answer));
	json_t *object;

	if (answer == NULL || (answer->store = calloc(1, sizeof(*answer->store))) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "answer_parse");
	TRY(json_read(json, &answer->store->json));
	object = answer->store->json;
	TRY(JSON_ONLY(object, "host", "device_id", "tpm", "trust", "certificates", "ca"));
	TRY(json_string_of(object, "host", LIMIT_HOST, &answer->host));
	TRY(json_string_of(object, "device_id", 32, &answer->device_id));
	TRY(parse_tpm(answer, object));
	TRY(parse_trust(answer, object));
	TRY(parse_certificates(answer, object));
	TRY(parse_ca(answer, object));
	*out = MOVE(answer);
	return OK;
}

void answer_free(struct answer **answer)
{
	if (*answer == NULL)
		return;
	if ((*answer)->store != NULL) {
		for (size_t i = 0; i < (*answer)->store->used; i++)
			buf_free(&(*answer)->store->bytes[i]);
		buf_free(&(*answer)->store->chain);
		json_decref((*answer)->store->json);
	}
	free((*answer)->store);
	free(*answer);
	*answer = NULL;
}

static void put_fact(json_t *tpm, const char *key, const char *value)
{
	if (value != NULL && value[0] != '\0')
		json_put_string(tpm, key, value);
}

static json_t *tpm_object(const struct answer *answer)
{
	json_t *tpm = json_object();

	put_fact(tpm, "manufacturer", answer->tpm_manufacturer);
	put_fact(tpm, "model", answer->tpm_model);
	put_fact(tpm, "version", answer->tpm_version);
	return tpm;
}

/* One subject a line becomes one string each. */
static json_t *chain_array(const char *lines)
{
	json_t *chain = json_array();

	while (*lines != '\0') {
		size_t n = strcspn(lines, "\n");

		json_append(chain, json_stringn(lines, n));
		lines += n + (lines[n] == '\n');
	}
	return chain;
}

static json_t *trust_object(const struct answer *answer)
{
	json_t *trust = json_object();

	json_put_string(trust, "class", answer->trust_class);
	json_put_string(trust, "source", answer->trust_source);
	json_put(trust, "chain", chain_array(answer->trust_chain));
	return trust;
}

static json_t *certificates_array(const struct answer *answer)
{
	json_t *certificates = json_array();

	for (size_t i = 0; i < answer->certificates_n; i++) {
		json_t *entry = json_object();

		json_put_string(entry, "template", answer->certificates[i].template);
		json_put_bytes(entry, "certificate", answer->certificates[i].der);
		json_append(certificates, entry);
	}
	return certificates;
}

static json_t *ca_object(const struct answer *answer)
{
	json_t *ca = json_object(), *intermediates = json_array();

	for (size_t i = 0; i < answer->intermediates_n; i++)
		json_append(intermediates, json_from_bytes(answer->intermediates[i]));
	json_put(ca, "intermediates", intermediates);
	if (answer->ssh_host_ca.n > 0)
		json_put_bytes(ca, "ssh_host", answer->ssh_host_ca);
	if (answer->ssh_user_ca.n > 0)
		json_put_bytes(ca, "ssh_user", answer->ssh_user_ca);
	return ca;
}

enum err answer_encode(const struct answer *answer, struct buf *json)
{
	json_t *object = json_object();

	json_put_string(object, "host", answer->host);
	json_put_string(object, "device_id", answer->device_id);
	json_put(object, "tpm", tpm_object(answer));
	json_put(object, "trust", trust_object(answer));
	json_put(object, "certificates", certificates_array(answer));
	json_put(object, "ca", ca_object(answer));
	return json_write(object, json);
}
