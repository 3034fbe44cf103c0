#include "db/ticket.h"

#include "db/connection.h"
#include "db/purge.h"

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

enum err ticket_purge(struct db *db, int64_t age)
{
	TRY(purge_run(db, &purge_tickets, age));
	return purge_run(db, &purge_refusals, age);
}
