#include "enroll/proto/trustlist.h"

#include "enroll/proto/json.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* A text of an entry, which is borrowed, and its key. */
struct text_member {
	const char *key;
	size_t offset;
	bool may_lack;
};

#define TEXT(name, lacks)                                                                          \
	{                                                                                          \
#name, offsetof(struct trust_list_item, name), lacks                               \
	}
static const struct text_member texts[] = {TEXT(sha256, false), TEXT(role, false),
	TEXT(class, false), TEXT(manufacturers, false), TEXT(source, false), TEXT(subject, false),
	TEXT(path, true), TEXT(imported_by, true), TEXT(why, true)};

struct json_t *trust_list_begin(const char *trust_version)
{
	json_t *object = json_object();

	json_put_string(object, "trust_version", trust_version);
	json_put(object, "items", json_array());
	return object;
}

void trust_list_add(struct json_t *list, const struct trust_list_item *entry)
{
	json_t *object = json_object();

	for (size_t i = 0; i < COUNT(texts); i++) {
		const char *const *text =
			(const char *const *)(const void *)((const char *)entry + texts[i].offset);

		if (*text != NULL || !texts[i].may_lack)
			json_put_string(object, texts[i].key, *text);
	}
	json_put(object, "until", json_integer(entry->until));
	if (entry->imported_by != NULL)
		json_put(object, "imported_at", json_integer(entry->imported_at));
	if (entry->der.n > 0)
		json_put_bytes(object, "certificate", entry->der);
	json_append(json_object_get(list, "items"), object);
}

enum err trust_list_end(struct json_t *list, struct buf *json)
{
	return json_write(list, json);
}

void trust_list_drop(struct json_t **list)
{
	json_free(list);
}

void trust_list_free(struct trust_list *list)
{
	free(list->items);
	json_free(&list->json);
	buf_free(&list->der);
	*list = (struct trust_list){.n = 0};
}

static enum err read_der(const json_t *object, struct buf *all, struct view *out)
{
	size_t before = all->n;

	if (json_object_get(object, "certificate") == NULL)
		return OK;
	TRY(json_bytes(object, "certificate", LIMIT_IMPORT_CRL, all));
	*out = (struct view){NULL, all->n - before};
	return OK;
}

static enum err read_entry(const json_t *object, struct buf *der, struct trust_list_item *out)
{
	TRY(JSON_ONLY(object, "sha256", "role", "class", "manufacturers", "source", "subject",
		"until", "path", "imported_at", "imported_by", "why", "certificate"));
	for (size_t i = 0; i < COUNT(texts); i++) {
		const char **text = (const char **)(void *)((char *)out + texts[i].offset);

		if (!texts[i].may_lack || json_object_get(object, texts[i].key) != NULL)
			TRY(json_string_of(object, texts[i].key, LIMIT_LINE, text));
	}
	TRY(json_number(object, "until", &out->until));
	if (out->imported_by != NULL)
		TRY(json_number(object, "imported_at", &out->imported_at));
	return read_der(object, der, &out->der);
}

enum err trust_list_parse(struct view json, struct trust_list *out)
{
	json_t *list = NULL;
	const char *version;
	size_t n, at = 0;

	*out = (struct trust_list){.der = BUF(LIMIT_IMPORT_BODY)};
	TRY(json_read(json, &out->json));
	TRY(JSON_ONLY(out->json, "trust_version", "items"));
	TRY(json_string_of(out->json, "trust_version", SHA256_TEXT - 1, &version));
	snprintf(out->trust_version, sizeof(out->trust_version), "%s", version);
	TRY(json_member(out->json, "items", JSON_ARRAY, &list));
	n = json_array_size(list);
	if ((out->items = calloc(n + 1, sizeof(*out->items))) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "a list of certificates");
	for (size_t i = 0; i < n; i++)
		TRY(read_entry(json_array_get(list, i), &out->der, &out->items[i]));
	out->n = n;
	for (size_t i = 0; i < n; at += out->items[i++].der.n)
		if (out->items[i].der.n > 0)
			out->items[i].der.p = out->der.p + at;
	return OK;
}
