#include "enroll/flow/wish.h"

#include "ca/base/encode.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum err wish_number(const char *name, const char *text, int64_t min, int64_t max, int64_t *out)
{
	long long value;
	char *end;

	if (text == NULL)
		return OK;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0 || value < min ||
		value > max)
		return refuse(ERR_MALFORMED, "query-value", "PROTOCOL admin",
			"%s is \"%.32s\": wanted a number from %lld to %lld", name, text,
			(long long)min, (long long)max);
	*out = value;
	return OK;
}

enum err wish_bytes(
	const char *name, const char *text, uint8_t *out, size_t n, const uint8_t **given)
{
	if (text == NULL)
		return OK;
	if (hex_read(view_str(text), out, n) != OK)
		return refuse(ERR_MALFORMED, "query-value", "PROTOCOL admin",
			"%s is \"%.80s\": wanted %zu hexadecimal digits", name, text, 2 * n);
	*given = out;
	return OK;
}

/* As openssl prints it, and as we do. */
enum err wish_serial(const char *text, uint8_t *out, size_t room, size_t *n)
{
	AUTO(buf_free) struct buf digits = BUF(2 * room);

	if (text == NULL)
		return OK;
	for (const char *at = text; *at != '\0'; at++)
		if (*at != ':')
			buf_u8(&digits, (uint8_t)*at);
	if (digits.failed || digits.n == 0 || digits.n % 2 != 0 ||
		hex_read(buf_view(&digits), out, digits.n / 2) != OK)
		return refuse(ERR_MALFORMED, "query-value", "PROTOCOL admin",
			"serial is \"%.64s\": wanted the hexadecimal digits of 1 to %zu bytes",
			text, room);
	*n = digits.n / 2;
	return OK;
}

enum err wish_word(const char *name, const char *text, const char *const *words, size_t *out)
{
	AUTO(buf_free) struct buf all = BUF(256);

	if (text == NULL)
		return OK;
	for (size_t i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], text) == 0) {
			*out = i;
			return OK;
		}
		buf_fmt(&all, "%s%s", i > 0 ? ", " : "", words[i]);
	}
	return refuse(ERR_MALFORMED, "query-value", "PROTOCOL admin",
		"%s is \"%.32s\": wanted one of %s", name, text, buf_text(&all));
}

enum err wish_flag(const char *name, const char *text, bool *out)
{
	static const char *const words[] = {"yes", NULL};
	size_t word = 0;

	TRY(wish_word(name, text, words, &word));
	*out = text != NULL;
	return OK;
}
