#include "db/refusals.h"

#include "ca/base/encode.h"
#include "db/connection.h"
#include "db/pattern.h"

#include <stdlib.h>

/* How far the clocks of two servers may be apart, for `since`; `at` is the service's own clock. */
#define CLOCKS_APART 300

/*
 * In this order: an id up to this one was given to a transaction that has its number already, for
 * refuse_ticket (enrollment.c) writes to refusal before it takes an id, and pg_current_xact_id()
 * takes a number after all of those. The rows are read last, by a snapshot of their own.
 */
static const struct statement find_last_id = {"refusals_last_id",
	"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM audit_id_seq"};

static const struct statement find_horizon = {"refusals_horizon",
	"SELECT pg_current_xact_id()::text::bigint,"
	" pg_snapshot_xmin(pg_current_snapshot())::text::bigint"};

#define COLUMNS                                                                                    \
	" ends.n, ends.last, ends.is_old, passed.id, extract(epoch FROM passed.at)::bigint,"       \
	" passed.host, passed.device_id, passed.code, passed.detail, passed.client_address,"       \
	" passed.request_id"
/* As the index has it: 0009_keys.sql. */
#define REFUSED " event IN ('enroll.refused', 'renew.refused')"
#define PASSES                                                                                     \
	" WHERE at >= to_timestamp($3::bigint)"                                                    \
	" AND ($4::text IS NULL OR code = $4::text)"                                               \
	" AND ($5::text IS NULL OR lower(host) LIKE $5::text ESCAPE '\\')"

/*
 * For the statement after it, which is planned when it runs: in the order of the index. Where nothing
 * is known of a table that just grew, the planner would rather fetch every refusal and sort them.
 */
static const struct statement keep_order = {
	"refusals_keep_order", "SELECT set_config('enable_bitmapscan', 'off', true)"};

/* A stretch by the index, whatever the filter is, and what of it passes; at least one row comes. */
static const struct statement read_forwards = {"refusals_forwards",
	"WITH stretch AS MATERIALIZED (SELECT * FROM audit"
	"  WHERE" REFUSED " AND id > $1::bigint ORDER BY id LIMIT $2::bigint),"
	" ends AS (SELECT count(*) AS n, max(id) AS last, false AS is_old FROM stretch)"
	" SELECT" COLUMNS " FROM ends LEFT JOIN LATERAL (SELECT * FROM stretch" PASSES
	"  ORDER BY id LIMIT $6::bigint) AS passed ON true ORDER BY passed.id"};

static const struct statement read_backwards = {"refusals_backwards",
	"WITH stretch AS MATERIALIZED (SELECT * FROM audit"
	"  WHERE" REFUSED " AND id < $1::bigint ORDER BY id DESC LIMIT $2::bigint),"
	" ends AS (SELECT count(*) AS n, min(id) AS last,"
	"  coalesce(min(at) < to_timestamp($7::bigint), false) AS is_old FROM stretch)"
	" SELECT" COLUMNS " FROM ends LEFT JOIN LATERAL (SELECT * FROM stretch" PASSES
	"  ORDER BY id DESC LIMIT $6::bigint) AS passed ON true ORDER BY passed.id DESC"};

const struct statement *const refusals_statements[] = {
	&find_last_id, &find_horizon, &keep_order, &read_forwards, &read_backwards, NULL};

void refusal_page_free(struct refusal_page *page)
{
	free(page->items);
	*page = (struct refusal_page){0};
}

static enum err take_last_id(const PGresult *rows, void *into)
{
	struct refusal_page *page = into;

	page->horizon.id = PQntuples(rows) == 1 ? row_int(rows, 0, 0) : 0;
	return OK;
}

static enum err take_horizon(const PGresult *rows, void *into)
{
	struct refusal_page *page = into;

	page->horizon.xid = row_int(rows, 0, 0);
	page->oldest_xid = row_int(rows, 0, 1);
	return OK;
}

/* The columns of both statements. */
enum { STRETCH_N, STRETCH_LAST, STRETCH_OLD, ID, AT, HOST, DEVICE, CODE, DETAIL, FROM, REQUEST };

static void take_row(const PGresult *rows, int row, struct refusal *out)
{
	struct view device = row_bytes(rows, row, DEVICE);

	out->id = row_int(rows, row, ID);
	out->at = row_int(rows, row, AT);
	if (device.n == DEVICE_ID_SIZE)
		hex_write(device, out->device_id);
	row_text(rows, row, HOST, out->host, sizeof(out->host));
	row_text(rows, row, CODE, out->code, sizeof(out->code));
	row_text(rows, row, DETAIL, out->sentence, sizeof(out->sentence));
	row_text(rows, row, FROM, out->from, sizeof(out->from));
	row_text(rows, row, REQUEST, out->request_id, sizeof(out->request_id));
}

struct taking {
	const struct refusal_query *query;
	struct refusal_page *page;
};

static enum err take_rows(const PGresult *rows, void *into)
{
	const struct taking *taking = into;
	struct refusal_page *page = taking->page;
	int n = PQntuples(rows);

	if (n < 1)
		return fail(ERR_INTERNAL, "database-error", "a stretch without its ends");
	if (row_is_null(rows, 0, ID))
		n = 0;
	if ((page->items = calloc((size_t)n + 1, sizeof(*page->items))) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "refusals_read");
	for (int i = 0; i < n; i++)
		take_row(rows, i, &page->items[i]);
	page->n = (size_t)n;
	page->next = taking->query->from;
	if (page->n == taking->query->limit)
		page->next = page->items[n - 1].id;
	else if (!row_is_null(rows, 0, STRETCH_LAST))
		page->next = row_int(rows, 0, STRETCH_LAST);
	page->more = (page->n == taking->query->limit ||
			     row_int(rows, 0, STRETCH_N) == REFUSALS_STRETCH) &&
		     !row_bool(rows, 0, STRETCH_OLD);
	return OK;
}

static void add_stretch(
	struct pipeline *trip, const struct refusal_query *query, const char *pattern)
{
	const struct value values[] = {value_int(query->from), value_int(REFUSALS_STRETCH),
		value_int(query->since), value_text(query->code), value_text(pattern),
		value_int((int64_t)query->limit), value_int(query->since - CLOCKS_APART)};

	if (query->backwards)
		step_add(trip, &read_backwards, values, COUNT(values));
	else
		step_add(trip, &read_forwards, values, COUNT(values) - 1);
}

enum err refusals_read(struct db *db, const struct refusal_query *query, struct refusal_page *page)
{
	AUTO(buf_free) struct buf pattern = BUF(2 * REFUSAL_TEXT);
	struct taking taking = {query, page};
	struct pipeline trip = {.n = 0};

	*page = (struct refusal_page){0};
	if (query->host != NULL)
		TRY(pattern_add(&pattern, query->host));
	step_add(&trip, &find_last_id, NULL, 0);
	step_take(&trip, take_last_id, page);
	step_add(&trip, &find_horizon, NULL, 0);
	step_take(&trip, take_horizon, page);
	step_add(&trip, &keep_order, NULL, 0);
	add_stretch(&trip, query, query->host == NULL ? NULL : buf_text(&pattern));
	step_take(&trip, take_rows, &taking);
	return db_run(db, &trip, LOST_GIVE_UP);
}
