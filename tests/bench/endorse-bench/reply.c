#include "tests/bench/endorse-bench/reply.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define HEAD_MAX (16u * 1024)

static bool is_named(struct view line, const char *name)
{
	return line.n > strlen(name) && strncasecmp((const char *)line.p, name, strlen(name)) == 0;
}

/* The value of a header as a number; -1 when it is none. */
static int64_t number_of(struct view line, const char *name)
{
	const uint8_t *p = line.p + strlen(name), *end = line.p + line.n;
	int64_t number = 0;

	while (p < end && *p == ' ')
		p++;
	if (p == end)
		return -1;
	for (; p < end && *p >= '0' && *p <= '9' && number < INT32_MAX; p++)
		number = number * 10 + (*p - '0');
	return p == end ? number : -1;
}

static bool has_word(struct view line, const char *word)
{
	const size_t n = strlen(word);

	for (size_t i = 0; i + n <= line.n; i++)
		if (strncasecmp((const char *)line.p + i, word, n) == 0)
			return true;
	return false;
}

static bool read_header(struct reply *reply, struct view line, bool *has_length)
{
	int64_t number;

	if (is_named(line, "transfer-encoding:"))
		return false;
	if (is_named(line, "connection:"))
		reply->closes = has_word(line, "close");
	if (is_named(line, "retry-after:"))
		reply->retry_after_s = number_of(line, "retry-after:");
	if (!is_named(line, "content-length:"))
		return true;
	number = number_of(line, "content-length:");
	reply->body_n = (size_t)number;
	*has_length = true;
	return number >= 0;
}

static bool read_status(struct reply *reply, struct view line)
{
	if (line.n < 12 || memcmp(line.p, "HTTP/1.1 ", 9) != 0)
		return false;
	for (size_t i = 9; i < 12; i++) {
		if (line.p[i] < '0' || line.p[i] > '9')
			return false;
		reply->status = reply->status * 10 + (line.p[i] - '0');
	}
	return reply->status >= 200;
}

/* `head` ends with the CR LF of its last line. */
static bool read_head(struct reply *reply, struct view head)
{
	bool is_first = true, has_length = false;

	reply->retry_after_s = -1;
	while (head.n > 0) {
		const uint8_t *end = memmem(head.p, head.n, "\r\n", 2);
		const struct view line = {head.p, (size_t)(end - head.p)};

		if (!(is_first ? read_status(reply, line) : read_header(reply, line, &has_length)))
			return false;
		is_first = false;
		head = (struct view){end + 2, head.n - line.n - 2};
	}
	return has_length || reply->status == 204 || reply->status == 304;
}

enum reply_state reply_read(struct reply *reply, struct view bytes, size_t max)
{
	const uint8_t *end;

	if (reply->head_n == 0) {
		end = bytes.n == 0 ? NULL : memmem(bytes.p, bytes.n, "\r\n\r\n", 4);
		if (end == NULL)
			return bytes.n > HEAD_MAX ? REPLY_BAD : REPLY_PART;
		reply->head_n = (size_t)(end - bytes.p) + 4;
		if (!read_head(reply, (struct view){bytes.p, reply->head_n - 2}) ||
			reply->body_n > max)
			return REPLY_BAD;
	}
	return bytes.n - reply->head_n >= reply->body_n ? REPLY_WHOLE : REPLY_PART;
}
