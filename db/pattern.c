#include "db/pattern.h"

#include <ctype.h>
#include <string.h>

/* Of the bytes of names, none is below or above these. */
#define BELOW_ALL ' '
#define ABOVE_ALL '~'

enum err pattern_add(struct buf *out, const char *name)
{
	for (; *name != '\0'; name++) {
		if (*name == '*') {
			buf_str(out, "%");
			continue;
		}
		if (*name == '%' || *name == '_' || *name == '\\')
			buf_str(out, "\\");
		buf_u8(out, (uint8_t)tolower((unsigned char)*name));
	}
	return buf_ok(out);
}

static void set_bounds(
	const char *name, size_t n, bool backwards, char end, struct pattern_range *out)
{
	size_t room = sizeof(out->from) - 2;

	n = n < room ? n : room;
	for (size_t i = 0; i < n; i++)
		out->from[i] = (char)tolower(
			(unsigned char)(backwards ? name[-(ptrdiff_t)i - 1] : name[i]));
	out->from[n] = '\0';
	memcpy(out->to, out->from, n);
	out->to[n] = end;
	out->to[n + 1] = '\0';
}

void pattern_range(const char *name, struct pattern_range *out)
{
	const char *star = strchr(name, '*'), *last = strrchr(name, '*');
	size_t n = strlen(name);

	out->is_exact = star == NULL;
	out->is_whole = star == last && (star == NULL || star == name || star[1] == '\0') &&
			n < PATTERN_TEXT - 2;
	out->is_reversed = star == name && last[1] != '\0';
	if (out->is_exact)
		set_bounds(name, n, false, BELOW_ALL, out);
	else if (out->is_reversed)
		set_bounds(name + n, (size_t)(name + n - last - 1), true, ABOVE_ALL, out);
	else
		set_bounds(name, (size_t)(star - name), false, ABOVE_ALL, out);
}
