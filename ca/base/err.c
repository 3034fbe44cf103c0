#include "ca/base/err.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local char sentence[512];
static _Thread_local struct reason last = {OK, "", "", ""};

void reason_set(enum err err, const char *code, const char *clause, const char *fmt, ...)
{
	/* Through a second buffer: an argument may be the sentence of the failure below this one. */
	char text[sizeof(sentence)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(sentence, sizeof(sentence), "%s", text);
	last = (struct reason){err, code, clause, sentence};
}

const struct reason *why(void)
{
	return &last;
}

void reason_keep(struct kept_reason *kept)
{
	snprintf(kept->sentence, sizeof(kept->sentence), "%s", last.sentence);
	kept->reason = last;
	kept->reason.sentence = kept->sentence;
}

enum err reason_tell(const struct reason *reason)
{
	snprintf(sentence, sizeof(sentence), "%s", reason->sentence);
	last = *reason;
	last.sentence = sentence;
	return last.err;
}

enum err reason_again(const struct kept_reason *kept)
{
	struct reason reason = kept->reason;

	/* Where it was copied, its own pointer is the other's. */
	reason.sentence = kept->sentence;
	return reason_tell(&reason);
}

static const struct {
	enum err err;
	int http;
	const char *title;
} answers[] = {
	{OK, 200, "OK"},
	{ERR_PENDING, 202, "Waiting for approval"},
	{ERR_MALFORMED, 400, "Malformed request"},
	{ERR_UNPROVEN, 401, "Not proven"},
	{ERR_DENIED, 403, "Not allowed"},
	{ERR_NOT_FOUND, 404, "Not found"},
	{ERR_METHOD, 405, "Method not allowed"},
	{ERR_CONFLICT, 409, "Conflict"},
	{ERR_NO_LENGTH, 411, "Length required"},
	{ERR_TOO_LARGE, 413, "Content too large"},
	{ERR_REJECTED, 422, "Evidence rejected"},
	{ERR_LIMITED, 429, "Too many requests"},
	{ERR_INTERNAL, 500, "Internal error"},
	{ERR_BUSY, 503, "Temporarily unavailable"},
};

int err_http(enum err err)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (answers[i].err == err)
			return answers[i].http;
	return 500;
}

const char *err_title(enum err err)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (answers[i].err == err)
			return answers[i].title;
	return "Internal error";
}
