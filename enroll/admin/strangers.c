#include "enroll/admin/strangers.h"

#include <ctype.h>
#include <string.h>

/* "*" stands for anything, and letters are alike in either case: as the audit is searched. */
static bool is_like(const char *text, const char *pattern)
{
	const char *star = NULL, *from = NULL;

	while (*text != '\0')
		if (*pattern == '*') {
			star = pattern++;
			from = text;
		} else if (tolower((unsigned char)*text) == tolower((unsigned char)*pattern)) {
			text++;
			pattern++;
		} else if (star != NULL) {
			pattern = star + 1;
			text = ++from;
		} else {
			return false;
		}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

bool stranger_fits(const struct stranger *stranger, const struct attempts_filter *filter)
{
	return (filter->reason == NULL || strcmp(filter->reason, stranger->reason) == 0) &&
	       (filter->host == NULL || is_like(stranger->host, filter->host)) &&
	       stranger->at >= filter->since;
}

static enum err get(const struct admin_server *server, int64_t after,
	struct strangers_answer *answer, struct problem *problem)
{
	AUTO(buf_free) struct buf path = BUF(128), json = BUF(LIMIT_ADMIN_ANSWER);

	*answer = (struct strangers_answer){0};
	buf_fmt(&path, "/v1/admin/strangers?after=%lld", (long long)after);
	TRY(buf_ok(&path));
	TRY(admin_get(server, buf_text(&path), &json, problem));
	return strangers_answer_parse(buf_view(&json), answer);
}

static size_t count_fitting(
	const struct strangers_answer *answer, const struct attempts_filter *filter)
{
	size_t n = 0;

	for (size_t i = 0; i < answer->n; i++)
		n += stranger_fits(&answer->items[i], filter);
	return n;
}

enum err strangers_show(const struct admin_server *server, const struct attempts_filter *filter,
	size_t n, enum print_form form, int64_t *since, int64_t *after, struct problem *problem)
{
	AUTO(strangers_answer_free) struct strangers_answer answer = {0};
	size_t fitting;

	TRY(get(server, *after, &answer, problem));
	if (answer.since != *since && *after != 0) {
		strangers_answer_free(&answer);
		TRY(get(server, 0, &answer, problem));
	}
	*since = answer.since;
	*after = answer.next;
	fitting = count_fitting(&answer, filter);
	for (size_t i = 0; i < answer.n; i++) {
		if (!stranger_fits(&answer.items[i], filter))
			continue;
		if (fitting-- <= n)
			TRY(stranger_print(&answer.items[i], form));
	}
	return OK;
}
