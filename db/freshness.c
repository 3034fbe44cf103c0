#include "db/freshness.h"

#include "db/pool_connection.h"

#include <string.h>

/* A shard whose certificates have all ended is not made anew, and is not late by that. */
static const struct statement read_shards = {NULL,
	"SELECT count(*), count(*) FILTER (WHERE changed <> published),"
	" count(*) FILTER (WHERE is_kept AND next_update <= clock_timestamp()),"
	" coalesce(floor(extract(epoch FROM min(this_update) FILTER (WHERE is_kept))), 0)::bigint,"
	" coalesce(floor(extract(epoch FROM min(next_update) FILTER (WHERE is_kept))), 0)::bigint,"
	" coalesce(floor(extract(epoch FROM max(next_update))), 0)::bigint"
	" FROM (SELECT changed, published, this_update, next_update,"
	" next_update > clock_timestamp() OR EXISTS (SELECT FROM certificate"
	" WHERE certificate.issuer = crl_shard.issuer AND certificate.shard = crl_shard.shard"
	" AND certificate.not_after > crl_shard.this_update) AS is_kept FROM crl_shard) AS shards"};

static const struct statement read_krl = {NULL,
	"SELECT number, coalesce(floor(extract(epoch FROM this_update)), 0)::bigint,"
	" (changed <> published)::int::bigint, revision FROM krl, revocation"};

static const struct statement read_responders = {NULL,
	"SELECT issuer, floor(extract(epoch FROM max(not_after)))::bigint FROM ocsp_responder"
	" GROUP BY issuer ORDER BY max(not_after) DESC LIMIT $1::bigint"};

static enum err take_shards(const PGresult *rows, void *into)
{
	struct freshness *out = into;
	int64_t *const numbers[] = {&out->crl_shards, &out->crl_behind, &out->crl_overdue,
		&out->crl_oldest, &out->crl_first_end, &out->crl_last_end};

	if (PQntuples(rows) != 1)
		return fail(ERR_INTERNAL, "database-error", "no numbers of CRLs");
	for (int i = 0; i < (int)COUNT(numbers); i++)
		*numbers[i] = row_int(rows, 0, i);
	return OK;
}

static enum err take_krl(const PGresult *rows, void *into)
{
	struct freshness *out = into;

	if (PQntuples(rows) != 1)
		return fail(ERR_INTERNAL, "database-error", "no row of the KRL");
	out->krl_number = row_int(rows, 0, 0);
	out->krl_at = row_int(rows, 0, 1);
	out->krl_behind = row_int(rows, 0, 2);
	out->revision = row_int(rows, 0, 3);
	return OK;
}

static enum err take_responders(const PGresult *rows, void *into)
{
	struct freshness *out = into;

	for (int i = 0; i < PQntuples(rows) && i < FRESHNESS_RESPONDERS; i++) {
		TRY(row_copy(
			rows, i, 0, out->responders[i].issuer, sizeof(out->responders[i].issuer)));
		out->responders[i].until = row_int(rows, i, 1);
		out->responders_n++;
	}
	return OK;
}

enum err freshness_read(struct db *db, struct freshness *out)
{
	struct pipeline lookup = {.n = 0};

	memset(out, 0, sizeof(*out));
	step_add(&lookup, &read_shards, NULL, 0);
	step_take(&lookup, take_shards, out);
	step_add(&lookup, &read_krl, NULL, 0);
	step_take(&lookup, take_krl, out);
	STEP(&lookup, &read_responders, value_int(FRESHNESS_RESPONDERS));
	step_take(&lookup, take_responders, out);
	/* Once: who lost a connection asks again soon, and a counter must not change between two. */
	return db_run(db, &lookup, LOST_GIVE_UP);
}
