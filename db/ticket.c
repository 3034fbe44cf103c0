#include "db/ticket.h"

#include "db/connection.h"

#define PURGE_BATCH 5000

/* In batches, so that no statement is long; around rows that another server is purging already. A
 * ctid names a row for as long as the row is locked. */
static const struct statement purge_tickets = {"purge_tickets",
	"WITH gone AS (DELETE FROM ticket WHERE ctid = ANY (ARRAY"
	" (SELECT ctid FROM ticket WHERE used_at < now() - make_interval(secs => $1::bigint)"
	"  ORDER BY used_at LIMIT $2::bigint FOR UPDATE SKIP LOCKED)) RETURNING 1)"
	" SELECT count(*) FROM gone"};

static const struct statement purge_refusals = {"purge_refusals",
	"WITH gone AS (DELETE FROM refusal WHERE ctid = ANY (ARRAY"
	" (SELECT ctid FROM refusal WHERE refused_at < now() - make_interval(secs => $1::bigint)"
	"  ORDER BY refused_at LIMIT $2::bigint FOR UPDATE SKIP LOCKED)) RETURNING 1)"
	" SELECT count(*) FROM gone"};

const struct statement *const ticket_statements[] = {&purge_tickets, &purge_refusals, NULL};

static enum err take_count(const PGresult *rows, void *into)
{
	int64_t *count = into;

	*count = row_int(rows, 0, 0);
	return OK;
}

static enum err purge(struct db *db, const struct statement *statement, int64_t age)
{
	struct pipeline trip = {.n = 0};
	int64_t gone = 0;

	STEP(&trip, statement, value_int(age), value_int(PURGE_BATCH));
	step_take(&trip, take_count, &gone);
	do
		TRY(db_run(db, &trip, LOST_REPEAT_ONCE));
	while (gone == PURGE_BATCH);
	return OK;
}

enum err ticket_purge(struct db *db, int64_t age)
{
	TRY(purge(db, &purge_tickets, age));
	return purge(db, &purge_refusals, age);
}
