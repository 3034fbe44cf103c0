#include "enroll/agent/jsontext.h"

void jsontext_begin(struct buf *out)
{
	buf_str(out, "{");
}

void jsontext_end(struct buf *out)
{
	buf_str(out, "\n}\n");
}

/* How many bytes the well-formed UTF-8 sequence at `p` has (RFC 3629 4); 0 when it is none. */
static size_t sequence_length(const unsigned char *p)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (p[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		(p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static void quote(struct buf *out, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	buf_str(out, "\"");
	while (*p != '\0') {
		size_t n = sequence_length(p);

		if (n == 0)
			buf_str(out, "\\ufffd");
		else if (*p == '"' || *p == '\\')
			buf_fmt(out, "\\%c", *p);
		else if (*p < 0x20 || *p == 0x7f)
			buf_fmt(out, "\\u%04x", *p);
		else
			buf_add(out, (struct view){p, n});
		p += n == 0 ? 1 : n;
	}
	buf_str(out, "\"");
}

static void key(struct buf *out, const char *name)
{
	bool first = out->n > 0 && out->p[out->n - 1] == '{';

	buf_str(out, first ? "\n  " : ",\n  ");
	quote(out, name);
	buf_str(out, ": ");
}

void jsontext_string(struct buf *out, const char *name, const char *value)
{
	key(out, name);
	if (value == NULL)
		buf_str(out, "null");
	else
		quote(out, value);
}

void jsontext_bool(struct buf *out, const char *name, bool value)
{
	key(out, name);
	buf_str(out, value ? "true" : "false");
}

void jsontext_list(struct buf *out, const char *name)
{
	key(out, name);
	buf_str(out, "[");
}

void jsontext_list_end(struct buf *out)
{
	buf_str(out, "]");
}

void jsontext_item(struct buf *out)
{
	bool first = out->n > 0 && out->p[out->n - 1] == '[';

	buf_str(out, first ? "{" : ", {");
}

void jsontext_item_end(struct buf *out)
{
	buf_str(out, "}");
}
