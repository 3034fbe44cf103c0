#include "db/retention.h"

#include "db/connection.h"
#include "db/purge.h"

/* As the tickets go (ticket.c): around rows that somebody else has in hand. */
#define GONE(which)                                                                                \
	"WITH gone AS (DELETE FROM certificate WHERE ctid = ANY (ARRAY (" which                    \
	")) RETURNING 1) SELECT count(*) FROM gone"
#define ENDED " not_after < now() - make_interval(secs => $1::bigint)"
#define BATCH " ORDER BY not_after LIMIT $2::bigint FOR UPDATE SKIP LOCKED"

/* CA by CA, for that is the order of the index. */
static const struct statement purge_unrevoked = {"purge_unrevoked",
	GONE("SELECT over.ctid FROM (SELECT issuer_id::bytea AS id FROM issuer) AS ca"
	     " CROSS JOIN LATERAL (SELECT ctid FROM certificate WHERE issuer = ca.id"
	     "  AND revoked_at IS NULL AND" ENDED BATCH ") AS over LIMIT $2::bigint")};

/* Of the time before CAs were recorded. */
static const struct statement purge_nameless = {"purge_nameless",
	GONE("SELECT ctid FROM certificate WHERE issuer IS NULL AND revoked_at IS NULL AND" ENDED
			BATCH)};

/*
 * A CRL that is behind may not have told of the row, nor one without a this_update, which was never made;
 * one that nobody has made anew for a month after its end will not. The oldest are looked at, by the
 * index: the planner has to know how many, or reads all that ended. Nobody else changes them.
 */
#define CRL_TOLD                                                                                   \
	"((crl.this_update > over.not_after AND crl.changed = crl.published)"                      \
	" OR crl.next_update < now() - interval '30 days')"
#define KRL_TOLD                                                                                   \
	"((krl.this_update > over.not_after AND krl.changed = krl.published)"                      \
	" OR krl.this_update < now() - interval '30 days')"
static const struct statement purge_revoked = {"purge_revoked",
	GONE("SELECT over.ctid FROM (SELECT ctid, kind, issuer, shard, not_after FROM certificate"
	     "  WHERE (revoked_at IS NULL) IS FALSE AND" ENDED
	     " ORDER BY not_after LIMIT 20000) AS over"
	     " WHERE CASE WHEN kind = 'x509' THEN NOT EXISTS (SELECT FROM crl_shard AS crl"
	     "  WHERE crl.issuer = over.issuer AND crl.shard = over.shard"
	     "  AND " CRL_TOLD " IS NOT TRUE)"
	     " ELSE EXISTS (SELECT FROM krl WHERE " KRL_TOLD ") END"
	     " ORDER BY over.not_after LIMIT $2::bigint")};

const struct statement *const retention_statements[] = {
	&purge_unrevoked, &purge_nameless, &purge_revoked, NULL};

enum err retention_purge(struct db *db, int64_t age, int64_t most, int64_t *gone)
{
	*gone = 0;
	TRY(purge_some(db, &purge_unrevoked, age, most, gone));
	TRY(purge_some(db, &purge_nameless, age, most, gone));
	return purge_some(db, &purge_revoked, age, most, gone);
}
