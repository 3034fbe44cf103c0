#include "enroll/http/query.h"

#include "ca/base/encode.h"

#include <string.h>

static enum err malformed(const char *what)
{
	return refuse(ERR_MALFORMED, "query", "RFC 3986 3.4", "%s", what);
}

/* Of `n` bytes; -1 when there is none. */
static int find_key(const struct query_key *keys, const char *name, size_t n)
{
	for (int i = 0; i < QUERY_KEYS && keys[i].name != NULL; i++)
		if (strlen(keys[i].name) == n && memcmp(keys[i].name, name, n) == 0)
			return i;
	return -1;
}

/* One byte of a value; `*text` moves behind it. */
static enum err decode(const char **text, const char *end, char *out)
{
	uint8_t byte;

	if (**text != '%') {
		*out = *(*text)++;
		return OK;
	}
	if (end - *text < 3 ||
		hex_read((struct view){(const uint8_t *)*text + 1, 2}, &byte, 1) != OK)
		return malformed("a percent sign without two hexadecimal digits");
	*out = (char)byte;
	*text += 3;
	return OK;
}

static enum err read_value(
	const struct query_key *key, const char *text, const char *end, struct query *out)
{
	char *value = out->text + out->used;
	size_t n = 0;

	while (text < end) {
		char c = '\0';

		TRY(decode(&text, end, &c));
		if (c < ' ' || c > '~')
			return refuse(ERR_MALFORMED, "query-value", "PROTOCOL admin",
				"%s has a byte that is not printable ASCII", key->name);
		if (n == key->max || out->used + n + 1 >= sizeof(out->text))
			return refuse(ERR_MALFORMED, "query-value", "PROTOCOL limits",
				"%s is longer than %zu bytes", key->name, key->max);
		value[n++] = c;
	}
	if (n == 0)
		return refuse(
			ERR_MALFORMED, "query-value", "PROTOCOL admin", "%s is empty", key->name);
	value[n] = '\0';
	out->used += n + 1;
	return OK;
}

static enum err read_pair(
	const struct query_key *keys, const char *pair, const char *end, struct query *out)
{
	const char *equals = memchr(pair, '=', (size_t)(end - pair));
	const char *value = out->text + out->used;
	int key;

	if (equals == NULL)
		return malformed("wanted name=value, joined by &");
	key = find_key(keys, pair, (size_t)(equals - pair));
	if (key < 0)
		return refuse(ERR_MALFORMED, "query-unknown", "PROTOCOL admin",
			"this path does not take the parameter \"%.*s\"",
			equals - pair > 32 ? 32 : (int)(equals - pair), pair);
	if (out->value[key] != NULL)
		return malformed("a parameter is there twice");
	TRY(read_value(&keys[key], equals + 1, end, out));
	out->value[key] = value;
	return OK;
}

enum err query_read(const char *text, const struct query_key *keys, struct query *out)
{
	memset(out->value, 0, sizeof(out->value));
	out->used = 0;
	while (text != NULL) {
		const char *end = strchrnul(text, '&');

		TRY(read_pair(keys, text, end, out));
		text = *end == '&' ? end + 1 : NULL;
	}
	return OK;
}
