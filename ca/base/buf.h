/* buf.h - bytes that grow up to a limit set when the buffer is made. */
#pragma once

#include "ca/base/err.h"
#include "ca/base/mem.h"

/*
 * Make one with BUF(limit); free with AUTO(buf_free) or buf_free(). An append that would pass the
 * limit, or finds no memory, marks the buffer as failed and adds nothing; buf_ok() tells at the
 * end, so that a row of appends needs one check.
 */
struct buf {
	uint8_t *p; /* always followed by a NUL that n does not count; NULL while empty */
	size_t n;
	size_t room;
	size_t limit;
	bool failed;
};

#define BUF(bytes) ((struct buf){.limit = (bytes)})

void buf_add(struct buf *buf, struct view bytes);
void buf_str(struct buf *buf, const char *s);
void buf_fmt(struct buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_u8(struct buf *buf, uint8_t v);
void buf_be64(struct buf *buf, uint64_t v);

/* ERR_TOO_LARGE "too-large" when any append before failed. */
CHECKED enum err buf_ok(const struct buf *buf);
struct view buf_view(const struct buf *buf);
/* The bytes as a C string, "" when empty; valid until the next append. */
const char *buf_text(const struct buf *buf);
/* Gives the memory away (for free()); NULL when the buffer is empty or failed. */
char *buf_take(struct buf *buf);
/* Wipes and frees; the buffer is empty afterwards and keeps its limit. */
void buf_free(struct buf *buf);
