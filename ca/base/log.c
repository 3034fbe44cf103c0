#include "ca/base/log.h"

#include "ca/base/buf.h"

#include <stdarg.h>
#include <unistd.h>

static bool is_plain(const char *value)
{
	if (*value == '\0')
		return false;
	for (; *value != '\0'; value++)
		if (*value <= ' ' || *value > '~' || *value == '"' || *value == '=' ||
			*value == '\\')
			return false;
	return true;
}

static void add_value(struct buf *line, const char *value)
{
	if (is_plain(value)) {
		buf_str(line, value);
		return;
	}
	buf_str(line, "\"");
	for (; *value != '\0'; value++) {
		unsigned char c = (unsigned char)*value;

		if (c == '"' || c == '\\')
			buf_fmt(line, "\\%c", c);
		else if (c < ' ' || c > '~')
			buf_fmt(line, "\\x%02x", c);
		else
			buf_u8(line, c);
	}
	buf_str(line, "\"");
}

void log_line(int priority, const char *event, ...)
{
	AUTO(buf_free) struct buf line = BUF(8192);
	const char *key, *value;
	va_list ap;

	buf_fmt(&line, "<%d>%s", priority, event);
	va_start(ap, event);
	for (;;) {
		key = va_arg(ap, const char *);
		value = va_arg(ap, const char *);
		if (value == (const char *)-1)
			break;
		if (value == NULL)
			continue;
		buf_fmt(&line, " %s=", key);
		add_value(&line, value);
	}
	va_end(ap);
	buf_str(&line, "\n");
	if (line.failed) {
		/* Nobody makes an event disappear by the length of a value. */
		buf_free(&line);
		buf_fmt(&line, "<%d>%s cut=\"more than %zu bytes\"\n", priority, event, line.limit);
	}
	/* One write, so that lines of several threads do not mix; nothing can be done when it
	 * fails. */
	if (line.failed || write(STDERR_FILENO, line.p, line.n) < 0)
		return;
}
