#include "enroll/admin/words.h"

#include "ca/base/clock.h"
#include "enroll/trust/vouching.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool why_option(const char *value, char out[static LIMIT_WHY + 1])
{
	if (strlen(value) > LIMIT_WHY) {
		fprintf(stderr, "endorsectl: --why: TEXT has at most %d bytes\n", LIMIT_WHY);
		return false;
	}
	snprintf(out, LIMIT_WHY + 1, "%s", value);
	return true;
}

bool manufacturer_option(const char *value)
{
	AUTO(buf_free) struct buf list = BUF(VOUCHING_MAX);

	if (vouching_read(value, &list) == OK)
		return true;
	fprintf(stderr, "endorsectl: --manufacturer: %s\n", why()->sentence);
	return false;
}

/* Nothing is multiplied before it is known to be small. */
bool duration_read(const char *text, int64_t max, int64_t *seconds)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', HOUR}, {'d', DAY}};
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || errno != 0 || n < 1 || strlen(end) != 1)
		return false;
	for (size_t i = 0; i < COUNT(units); i++)
		if (*end == units[i].unit && n <= max / units[i].seconds) {
			*seconds = n * units[i].seconds;
			return true;
		}
	return false;
}

/* Only what RFC 3986 2.3 leaves unreserved stands for itself. */
void query_add(struct buf *path, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_fmt(path, "%c%s=", strchr(buf_text(path), '?') == NULL ? '?' : '&', name);
	for (; *value != '\0'; value++)
		if (isalnum((unsigned char)*value) || strchr("-._~", *value) != NULL)
			buf_u8(path, (uint8_t)*value);
		else
			buf_fmt(path, "%%%02X", (unsigned)(unsigned char)*value);
}
