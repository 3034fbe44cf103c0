#include "enroll/flow/exposition.h"

void exposition_head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_fmt(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void exposition_number(
	struct buf *out, const char *name, const char *type, const char *help, int64_t value)
{
	exposition_head(out, name, type, help);
	buf_fmt(out, "%s %lld\n", name, (long long)value);
}

void exposition_escape(struct buf *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			buf_u8(out, '\\');
		buf_u8(out, *text < ' ' || *text > '~' ? '?' : (uint8_t)*text);
	}
}
