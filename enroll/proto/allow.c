#include "enroll/proto/allow.h"

#include "enroll/proto/labels_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const allow_fate_words[] = {[ALLOW_ADDED] = "added",
	[ALLOW_SAME] = "same",
	[ALLOW_EK_TAKEN] = "ek-taken",
	[ALLOW_HOST_TAKEN] = "host-taken",
	[ALLOW_HOST_BOUND] = "host-bound",
	[ALLOW_EK_BOUND] = "ek-bound",
	NULL};

void allow_entry_free(struct allow_entry *entry)
{
	buf_free(&entry->ek_public);
	free(entry->serial);
	free(entry->host);
	free(entry->labels);
	*entry = (struct allow_entry){0};
}

void allow_request_free(struct allow_request *request)
{
	for (size_t i = 0; i < request->n; i++)
		allow_entry_free(&request->entries[i]);
	free(request->entries);
	*request = (struct allow_request){0};
}

static enum err no_memory(void)
{
	return fail(ERR_INTERNAL, "out-of-memory", "a message of the allow-list");
}

static enum err read_text(const json_t *object, const char *key, size_t max, char **out)
{
	const char *text;

	if (json_object_get(object, key) == NULL)
		return OK;
	TRY(json_string_of(object, key, max, &text));
	return (*out = strdup(text)) == NULL ? no_memory() : OK;
}

static enum err read_digest(const json_t *object, char out[static EK_DIGEST_DIGITS + 1])
{
	const char *text;

	TRY(json_string_of(object, "ek_digest", EK_DIGEST_DIGITS, &text));
	if (strlen(text) != EK_DIGEST_DIGITS ||
		strspn(text, "0123456789abcdefABCDEF") != EK_DIGEST_DIGITS)
		return refuse(ERR_MALFORMED, "ek-digest", "PROTOCOL admin",
			"\"%.64s\" is no digest of an EK: wanted the SHA-256 of its "
			"SubjectPublicKeyInfo, %d hexadecimal digits",
			text, EK_DIGEST_DIGITS);
	snprintf(out, EK_DIGEST_DIGITS + 1, "%s", text);
	return OK;
}

static enum err read_labels(const json_t *object, char **out)
{
	AUTO(buf_free) struct buf json = BUF(LIMIT_LABELS);
	const json_t *labels = json_object_get(object, "labels");

	if (labels == NULL)
		return OK;
	TRY(labels_read(labels, &json));
	return (*out = buf_take(&json)) == NULL ? no_memory() : OK;
}

static enum err read_entry(const json_t *object, struct allow_entry *out)
{
	out->ek_public = BUF(LIMIT_PUBLIC);
	TRY(JSON_ONLY(object, "ek_digest", "ek_public", "serial", "host", "labels"));
	/* One of them is enough; with none it is the digest that is missing. */
	if (json_object_get(object, "ek_public") != NULL)
		TRY(json_bytes(object, "ek_public", LIMIT_PUBLIC, &out->ek_public));
	if (json_object_get(object, "ek_digest") != NULL || out->ek_public.n == 0)
		TRY(read_digest(object, out->ek_digest));
	TRY(read_text(object, "serial", LIMIT_SERIAL, &out->serial));
	TRY(read_text(object, "host", LIMIT_HOST, &out->host));
	return read_labels(object, &out->labels);
}

static enum err read_entries(const json_t *object, struct allow_request *out)
{
	json_t *list = NULL;
	size_t n;

	TRY(json_member(object, "entries", JSON_ARRAY, &list));
	n = json_array_size(list);
	if (n > ALLOW_MAX)
		return refuse(ERR_MALFORMED, "field-too-long", "PROTOCOL limits",
			"more than %d entries in one request", ALLOW_MAX);
	if ((out->entries = calloc(n + 1, sizeof(*out->entries))) == NULL)
		return no_memory();
	for (; out->n < n; out->n++) {
		/* Counted also when it is bad, so that it is freed. */
		enum err err = read_entry(json_array_get(list, out->n), &out->entries[out->n]);

		if (err != OK) {
			out->n++;
			return err;
		}
	}
	return OK;
}

static enum err read_flag(const json_t *object, const char *key, bool is_required, bool *out)
{
	const json_t *value = json_object_get(object, key);

	*out = json_is_true(value);
	if (value == NULL && is_required)
		return refuse(ERR_MALFORMED, "json-key-missing", "PROTOCOL encodings",
			"the key \"%s\" is missing", key);
	if (value != NULL && !json_is_boolean(value))
		return refuse(ERR_MALFORMED, "json-type", "PROTOCOL encodings",
			"the value of \"%s\" has the wrong type", key);
	return OK;
}

enum err allow_request_parse(struct view json, struct allow_request *out)
{
	AUTO(json_free) json_t *object = NULL;
	const char *text;

	*out = (struct allow_request){0};
	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "entries", "source", "why", "skip_bad", "dry_run"));
	TRY(json_string_of(object, "source", LIMIT_SOURCE, &text));
	snprintf(out->source, sizeof(out->source), "%s", text);
	TRY(json_string_of(object, "why", LIMIT_WHY, &text));
	snprintf(out->why, sizeof(out->why), "%s", text);
	TRY(read_flag(object, "skip_bad", false, &out->skip_bad));
	TRY(read_flag(object, "dry_run", false, &out->dry_run));
	return read_entries(object, out);
}

static json_t *entry_json(const struct allow_entry *entry)
{
	json_t *object = json_object();

	if (entry->ek_digest[0] != '\0')
		json_put_string(object, "ek_digest", entry->ek_digest);
	if (entry->ek_public.n > 0)
		json_put_bytes(object, "ek_public", buf_view(&entry->ek_public));
	if (entry->serial != NULL)
		json_put_string(object, "serial", entry->serial);
	if (entry->host != NULL)
		json_put_string(object, "host", entry->host);
	if (entry->labels != NULL)
		json_put(object, "labels", labels_object(entry->labels));
	return object;
}

enum err allow_request_encode(const struct allow_request *request, struct buf *json)
{
	json_t *object = json_object(), *entries = json_array();

	for (size_t i = 0; i < request->n; i++)
		json_append(entries, entry_json(&request->entries[i]));
	json_put(object, "entries", entries);
	json_put_string(object, "source", request->source);
	json_put_string(object, "why", request->why);
	json_put(object, "skip_bad", json_boolean(request->skip_bad));
	json_put(object, "dry_run", json_boolean(request->dry_run));
	return json_write(object, json);
}

enum err allow_answer_init(struct allow_answer *answer, size_t n)
{
	*answer = (struct allow_answer){0};
	return (answer->bad = calloc(n + 1, sizeof(*answer->bad))) == NULL ? no_memory() : OK;
}

void allow_answer_free(struct allow_answer *answer)
{
	free(answer->bad);
	*answer = (struct allow_answer){0};
}

enum err allow_answer_encode(const struct allow_answer *answer, struct buf *json)
{
	json_t *object = json_object(), *bad = json_array();

	json_put(object, "added", json_integer(answer->added));
	json_put(object, "same", json_integer(answer->same));
	json_put(object, "changed", json_boolean(answer->changed));
	for (size_t i = 0; i < answer->bad_n; i++) {
		json_t *one = json_object();

		json_put(one, "entry", json_integer(answer->bad[i].entry));
		json_put_string(one, "fate", allow_fate_words[answer->bad[i].fate]);
		json_append(bad, one);
	}
	json_put(object, "bad", bad);
	return json_write(object, json);
}

static enum err read_bad(const json_t *object, struct allow_bad *out)
{
	const char *word;

	TRY(JSON_ONLY(object, "entry", "fate"));
	TRY(json_number(object, "entry", &out->entry));
	TRY(json_string_of(object, "fate", LIMIT_REASON, &word));
	for (int i = 0; allow_fate_words[i] != NULL; i++)
		if (strcmp(allow_fate_words[i], word) == 0) {
			out->fate = (enum allow_fate)i;
			return OK;
		}
	return fail(ERR_MALFORMED, "answer-unknown", "the service says \"%s\" of an entry", word);
}

enum err allow_answer_parse(struct view json, struct allow_answer *out)
{
	AUTO(json_free) json_t *object = NULL;
	json_t *bad = NULL;

	*out = (struct allow_answer){0};
	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "added", "same", "changed", "bad"));
	TRY(json_member(object, "bad", JSON_ARRAY, &bad));
	TRY(allow_answer_init(out, json_array_size(bad)));
	TRY(json_number(object, "added", &out->added));
	TRY(json_number(object, "same", &out->same));
	TRY(read_flag(object, "changed", true, &out->changed));
	for (; out->bad_n < json_array_size(bad); out->bad_n++)
		TRY(read_bad(json_array_get(bad, out->bad_n), &out->bad[out->bad_n]));
	return OK;
}

enum err disallow_request_parse(struct view json, struct disallow_request *out)
{
	AUTO(json_free) json_t *object = NULL;
	const char *text;

	TRY(json_read(json, &object));
	TRY(JSON_ONLY(object, "ek_digest", "why"));
	TRY(read_digest(object, out->ek_digest));
	TRY(json_string_of(object, "why", LIMIT_WHY, &text));
	snprintf(out->why, sizeof(out->why), "%s", text);
	return OK;
}

enum err disallow_request_encode(const struct disallow_request *request, struct buf *json)
{
	json_t *object = json_object();

	json_put_string(object, "ek_digest", request->ek_digest);
	json_put_string(object, "why", request->why);
	return json_write(object, json);
}

enum err disallow_answer_encode(const char *ek_digest, struct buf *json)
{
	json_t *object = json_object();

	json_put_string(object, "ek_digest", ek_digest);
	return json_write(object, json);
}
