#include "db/cursor.h"

#include "ca/base/encode.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err malformed(void)
{
	return refuse(ERR_MALFORMED, "query-value", "PROTOCOL lists",
		"after is not the next of an answer to the same question");
}

/* Microseconds up to where RFC 3339 ends: what PostgreSQL can add to 1970. */
#define CURSOR_LAST INT64_C(253402300800000000)

/* Digits up to what ends them; `*text` moves there. */
static enum err read_number(const char **text, int64_t *out)
{
	long long value;
	char *end;

	errno = 0;
	value = strtoll(*text, &end, 10);
	if (!isdigit((unsigned char)**text) || errno != 0 || value > CURSOR_LAST)
		return malformed();
	*out = value;
	*text = end;
	return OK;
}

/* "-HEX". */
static enum err read_key(const char **text, struct cursor *out)
{
	size_t n;

	if (*(*text)++ != '-')
		return malformed();
	n = strspn(*text, "0123456789abcdef");
	if (n == 0 || n % 2 != 0 || n / 2 > sizeof(out->key) ||
		hex_read((struct view){(const uint8_t *)*text, n}, out->key, n / 2) != OK)
		return malformed();
	out->key_n = n / 2;
	*text += n;
	return OK;
}

static enum err read_name(const char *text, struct cursor *out)
{
	if (*text == '\0' || strlen(text) >= sizeof(out->name))
		return malformed();
	snprintf(out->name, sizeof(out->name), "%s", text);
	return OK;
}

enum err cursor_read(const char *text, enum cursor_order order, struct cursor *out)
{
	if (text == NULL)
		return OK;
	if (*text++ != (char)order)
		return malformed();
	if (order == CURSOR_HOST || order == CURSOR_TAIL)
		return read_name(text, out);
	TRY(read_number(&text, &out->number));
	if (order != CURSOR_ID)
		TRY(read_key(&text, out));
	if (order == CURSOR_HOST_TIME)
		return *text == '-' ? read_name(text + 1, out) : malformed();
	return *text == '\0' ? OK : malformed();
}

void cursor_reverse(struct cursor *cursor)
{
	char *name = cursor->name;

	for (size_t i = 0, n = strlen(name); i < n / 2; i++) {
		char kept = name[i];

		name[i] = name[n - 1 - i];
		name[n - 1 - i] = kept;
	}
}
