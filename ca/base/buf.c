#include "ca/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Moves by hand instead of realloc(), so that no copy of a secret stays behind in freed memory. */
static bool reserve(struct buf *buf, size_t more)
{
	size_t room = buf->room == 0 ? 256 : buf->room;
	uint8_t *p;

	if (buf->failed || more > buf->limit - buf->n)
		return false;
	if (buf->p != NULL && buf->n + more < buf->room)
		return true;
	while (room <= buf->n + more)
		room *= 2;
	if ((p = malloc(room)) == NULL)
		return false;
	if (buf->p != NULL) {
		memcpy(p, buf->p, buf->n);
		secret_wipe(buf->p, buf->n);
		free(buf->p);
	}
	buf->p = p;
	buf->room = room;
	return true;
}

void buf_add(struct buf *buf, struct view bytes)
{
	if (!reserve(buf, bytes.n)) {
		buf->failed = true;
		return;
	}
	if (bytes.n > 0)
		memcpy(buf->p + buf->n, bytes.p, bytes.n);
	buf->n += bytes.n;
	buf->p[buf->n] = '\0';
}

void buf_str(struct buf *buf, const char *s)
{
	buf_add(buf, view_str(s));
}

/* Into the room that there is, which mostly is enough. What has to move leaves nothing there. */
void buf_fmt(struct buf *buf, const char *fmt, ...)
{
	const size_t room = buf->p == NULL || buf->failed ? 0 : buf->room - buf->n;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room == 0 ? NULL : (char *)buf->p + buf->n, room, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < room && (size_t)n <= buf->limit - buf->n) {
		buf->n += (size_t)n;
		return;
	}
	if (room > 0)
		secret_wipe(buf->p + buf->n, room);
	if (n < 0 || !reserve(buf, (size_t)n)) {
		buf->failed = true;
		return;
	}
	va_start(ap, fmt);
	vsnprintf((char *)buf->p + buf->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	buf->n += (size_t)n;
}

void buf_u8(struct buf *buf, uint8_t v)
{
	buf_add(buf, (struct view){&v, 1});
}

void buf_be64(struct buf *buf, uint64_t v)
{
	uint8_t be[8];

	for (int i = 7; i >= 0; i--, v >>= 8)
		be[i] = (uint8_t)v;
	buf_add(buf, VIEW(be));
}

enum err buf_ok(const struct buf *buf)
{
	if (buf->failed)
		return fail(ERR_TOO_LARGE, "too-large", "more than the %zu bytes there is room for",
			buf->limit);
	return OK;
}

struct view buf_view(const struct buf *buf)
{
	return (struct view){buf->p, buf->n};
}

const char *buf_text(const struct buf *buf)
{
	return buf->p == NULL ? "" : (const char *)buf->p;
}

char *buf_take(struct buf *buf)
{
	char *p = (char *)buf->p;

	if (buf->failed)
		return NULL;
	*buf = BUF(buf->limit);
	return p;
}

void buf_free(struct buf *buf)
{
	if (buf->p != NULL)
		secret_wipe(buf->p, buf->n);
	free(buf->p);
	*buf = BUF(buf->limit);
}
