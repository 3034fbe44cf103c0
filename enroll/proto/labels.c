#include "enroll/proto/labels.h"

#include "enroll/proto/labels_json.h"

#include <string.h>

static const char name_bytes[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

static enum err malformed(const char *what)
{
	return refuse(ERR_MALFORMED, "labels", "PROTOCOL admin",
		"%s; labels are names with texts: a name has 1 to %d letters, digits, dots, _ or "
		"-, a text at most %d bytes without \";\", and there are at most %d",
		what, LIMIT_LABEL_NAME, LIMIT_LABEL_TEXT, LABELS_MAX);
}

static enum err judge(const char *name, const char *text, size_t n)
{
	if (n == 0 || n > LIMIT_LABEL_NAME || strspn(name, name_bytes) != n)
		return malformed("a label's name is none");
	if (strlen(text) > LIMIT_LABEL_TEXT)
		return malformed("a label's text is too long");
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f || *text == ';')
			return malformed("a label's text has a byte that it may not have");
	return OK;
}

enum err labels_read(const json_t *labels, struct buf *json)
{
	AUTO(buf_free) struct buf text = BUF(LIMIT_LABELS);
	const char *name;
	json_t *value;

	if (!json_is_object(labels))
		return malformed("not an object");
	if (json_object_size(labels) > LABELS_MAX)
		return malformed("too many labels");
	json_object_foreach ((json_t *)labels, name, value) {
		if (!json_is_string(value))
			return malformed("a label that is no text");
		TRY(judge(name, json_string_value(value), strlen(name)));
	}
	if (json_write(json_incref((json_t *)labels), &text) != OK)
		return malformed("too long together");
	buf_add(json, buf_view(&text));
	return buf_ok(json);
}

json_t *labels_object(const char *json)
{
	AUTO(json_free) json_t *object = NULL;

	return json_read(view_str(json), &object) == OK ? MOVE(object) : NULL;
}

/* "name=text" of `n` bytes into `labels`. */
static enum err add_pair(const char *pair, size_t n, json_t *labels)
{
	AUTO(buf_free) struct buf copy = BUF(LIMIT_LABELS);
	char *text;

	buf_add(&copy, (struct view){(const uint8_t *)pair, n});
	if (copy.failed || (text = strchr(buf_text(&copy), '=')) == NULL)
		return malformed("wanted name=text, joined by \";\"");
	*text++ = '\0';
	if (json_object_get(labels, buf_text(&copy)) != NULL)
		return malformed("a name twice");
	json_put_string(labels, buf_text(&copy), text);
	return OK;
}

enum err labels_from_pairs(const char *pairs, struct buf *json)
{
	AUTO(json_free) json_t *labels = json_object();

	while (*pairs != '\0') {
		size_t n = strcspn(pairs, ";");

		if (n > 0)
			TRY(add_pair(pairs, n, labels));
		pairs += n + (pairs[n] == ';');
	}
	return labels_read(labels, json);
}

enum err labels_to_pairs(const char *json, struct buf *pairs)
{
	AUTO(json_free) json_t *labels = labels_object(json);
	const char *name;
	json_t *value;
	size_t n = 0;

	if (!json_is_object(labels))
		return malformed("not an object");
	json_object_foreach (labels, name, value) {
		if (!json_is_string(value))
			return malformed("a label that is no text");
		buf_fmt(pairs, "%s%s=%s", n++ == 0 ? "" : ";", name, json_string_value(value));
	}
	return buf_ok(pairs);
}
