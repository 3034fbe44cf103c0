#include "ca/base/printable.h"

void printable(const char *text, char *out, size_t room)
{
	size_t n = 0;

	for (; text[n] != '\0' && n + 1 < room; n++)
		out[n] = (char)(text[n] >= ' ' && text[n] <= '~' ? text[n] : '?');
	out[n] = '\0';
}
