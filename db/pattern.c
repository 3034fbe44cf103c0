#include "db/pattern.h"

#include <ctype.h>

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
