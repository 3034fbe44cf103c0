#include "enroll/admin/attempts_page.h"

#include "enroll/admin/words.h"

#include <stdlib.h>
#include <string.h>

enum err attempts_get(const struct admin_server *server, const struct attempts_filter *filter,
	enum attempts_way way, int64_t id, size_t limit, struct attempts_answer *out,
	struct problem *problem)
{
	AUTO(buf_free) struct buf path = BUF(4096), json = BUF(LIMIT_ADMIN_ANSWER);

	*out = (struct attempts_answer){0};
	buf_fmt(&path, "/v1/admin/attempts?%s=%lld&limit=%zu",
		way == ATTEMPTS_AFTER ? "after" : "before", (long long)id, limit);
	if (filter->since > 0)
		buf_fmt(&path, "&since=%lld", (long long)filter->since);
	query_add(&path, "reason", filter->reason);
	query_add(&path, "host", filter->host);
	TRY(buf_ok(&path));
	TRY(admin_get(server, buf_text(&path), &json, problem));
	return attempts_answer_parse(buf_view(&json), out);
}

/* Appends what a page has, to `out`, which has room. */
static void append(struct attempts_answer *out, const struct attempts_answer *page)
{
	if (page->n > 0)
		memcpy(out->items + out->n, page->items, page->n * sizeof(*page->items));
	out->n += page->n;
	out->counters = page->counters;
}

static void turn_around(struct attempts_answer *answer)
{
	for (size_t i = 0; i < answer->n / 2; i++) {
		struct attempt kept = answer->items[i];

		answer->items[i] = answer->items[answer->n - 1 - i];
		answer->items[answer->n - 1 - i] = kept;
	}
}

enum err attempts_last(const struct admin_server *server, const struct attempts_filter *filter,
	size_t n, struct attempts_answer *out, struct problem *problem)
{
	int64_t before = ATTEMPTS_NEWEST;
	bool more = true;

	TRY(attempts_answer_init(out, n));
	while (more && out->n < n) {
		AUTO(attempts_answer_free) struct attempts_answer page;
		size_t wanted = n - out->n < ATTEMPTS_MAX ? n - out->n : ATTEMPTS_MAX;

		TRY(attempts_get(server, filter, ATTEMPTS_BEFORE, before, wanted, &page, problem));
		if (page.n > wanted)
			return fail(ERR_BUSY, "unreachable", "more attempts than were asked for");
		append(out, &page);
		before = page.next;
		more = page.more;
	}
	turn_around(out);
	return OK;
}
