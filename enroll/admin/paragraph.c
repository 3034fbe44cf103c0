#include "enroll/admin/paragraph.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FIELD_WIDTH 15

void paragraph_hang(struct buf *out, const char *lead, size_t indent, const char *text)
{
	size_t column = strlen(lead);

	buf_str(out, lead);
	while (*text != '\0') {
		size_t n = strcspn(text, " ");

		if (column > indent && column + 1 + n > PARAGRAPH_WIDTH) {
			buf_fmt(out, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			buf_str(out, " ");
			column++;
		}
		buf_fmt(out, "%.*s", (int)n, text);
		column += n;
		text += n + (text[n] == ' ');
	}
	buf_str(out, "\n");
}

void paragraph_add(struct buf *out, const char *lead, const char *text)
{
	paragraph_hang(out, lead, strlen(lead), text);
}

void paragraph_field(struct buf *out, const char *label, const char *value)
{
	char lead[64];

	if (value[0] == '\0')
		return;
	snprintf(lead, sizeof(lead), "  %-*s ", FIELD_WIDTH, label);
	paragraph_add(out, lead, value);
}

enum err paragraph_put(const struct buf *text)
{
	TRY(buf_ok(text));
	if (fwrite(text->p, 1, text->n, stdout) != text->n || fflush(stdout) != 0)
		return fail(ERR_INTERNAL, "output", "cannot write: %s", strerror(errno));
	return OK;
}
