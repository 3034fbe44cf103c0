#include "enroll/flow/attempts.h"

#include "ca/base/clock.h"
#include "db/refusals.h"
#include "enroll/flow/tally.h"
#include "enroll/flow/wish.h"

#include <stdio.h>

#define LIMIT_DEFAULT 100

static enum err read_wish(const struct attempts_wish *wish, struct refusal_query *out)
{
	int64_t limit = LIMIT_DEFAULT;

	*out = (struct refusal_query){.backwards = wish->after == NULL,
		.from = REFUSAL_LAST,
		.code = wish->reason,
		.host = wish->host};
	if (wish->after != NULL && wish->before != NULL)
		return refuse(ERR_MALFORMED, "query-value", "PROTOCOL admin",
			"after and before do not go together");
	TRY(wish_number("after", wish->after, 0, INT64_MAX, &out->from));
	TRY(wish_number("before", wish->before, 0, INT64_MAX, &out->from));
	TRY(wish_number("since", wish->since, 0, CLOCK_LAST, &out->since));
	TRY(wish_number("limit", wish->limit, 1, ATTEMPTS_MAX, &limit));
	out->limit = (size_t)limit;
	return OK;
}

/* The EK's digest stays in the audit: outside of it a device is known by its device_id. */
static void tell(const struct refusal *refusal, struct attempt *out)
{
	out->id = refusal->id;
	out->at = refusal->at;
	snprintf(out->host, sizeof(out->host), "%s", refusal->host);
	snprintf(out->device_id, sizeof(out->device_id), "%s", refusal->device_id);
	snprintf(out->reason, sizeof(out->reason), "%s", refusal->code);
	snprintf(out->sentence, sizeof(out->sentence), "%s", refusal->sentence);
	snprintf(out->from, sizeof(out->from), "%s", refusal->from);
	snprintf(out->request_id, sizeof(out->request_id), "%s", refusal->request_id);
}

enum err attempts_read(const struct service *service, const struct attempts_wish *wish,
	struct attempts_answer *out)
{
	AUTO(refusal_page_free) struct refusal_page page = {0};
	struct refusal_query query;

	*out = (struct attempts_answer){0};
	TRY(read_wish(wish, &query));
	TRY(refusals_read(service->db, &query, &page));
	TRY(attempts_answer_init(out, page.n));
	for (size_t i = 0; i < page.n; i++)
		tell(&page.items[i], &out->items[i]);
	out->n = page.n;
	out->next = page.next;
	out->more = page.more;
	out->settles_id = page.horizon.id;
	out->settles_xid = page.horizon.xid;
	out->settled_xid = page.oldest_xid;
	tally_read(service->tally, &out->counters);
	return OK;
}

enum err attempts_strangers(
	const struct service *service, const char *after, struct strangers_answer *out)
{
	int64_t number = 0;

	TRY(wish_number("after", after, 0, INT64_MAX, &number));
	return tally_strangers(service->tally, number, out);
}
