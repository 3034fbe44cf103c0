#include "db/crl.h"

#include "db/connection.h"
#include "db/pool_connection.h"

#include <stdlib.h>
#include <string.h>

static const struct statement find_changed = {"crl_find_changed",
	"SELECT issuer, shard FROM crl_shard WHERE issuer = $1::bytea AND changed <> published"
	" ORDER BY random() LIMIT $2::bigint"};

static const struct statement find_old = {"crl_find_old",
	"SELECT issuer, shard FROM (SELECT issuer, shard FROM crl_shard WHERE issuer = $1::bytea"
	"  AND next_update < to_timestamp($3::bigint) ORDER BY next_update LIMIT 4 * $2::bigint)"
	" AS nearest ORDER BY random() LIMIT $2::bigint"};

/* least() passes over what is NULL: there is no CRL yet. */
#define KEEP_SINCE "least(ours.this_update, to_timestamp($3::bigint))"

/*
 * This one first: what is revoked between it and the next statement may be in the CRL already, and
 * `changed` does not say so, which costs another CRL and loses none. The number is not a sequence's:
 * that would go back with a database that was restored. A shard is closed when a later one is drawn
 * from, and to be sure the one behind that: who has drawn is still to record.
 */
static const struct statement look = {"crl_look",
	"SELECT changed, coalesce(number, 0),"
	" greatest(coalesce(number, 0) + 1, extract(epoch FROM clock_timestamp())::bigint),"
	" (SELECT base FROM crl_plan WHERE first_shard <= ours.shard"
	"  ORDER BY first_shard DESC LIMIT 1),"
	" changed = published AND shard + 1 < (SELECT newest.first_shard"
	"   + (pg_sequence_last_value('crl_place') - newest.first_place) / newest.capacity FROM"
	"   (SELECT * FROM crl_plan WHERE first_shard >= 0 ORDER BY first_shard DESC LIMIT 1)"
	"   AS newest)"
	"  AND NOT EXISTS (SELECT FROM certificate WHERE certificate.issuer = ours.issuer"
	"   AND certificate.shard = ours.shard AND certificate.not_after >= " KEEP_SINCE ")"
	" FROM crl_shard AS ours WHERE issuer = $1::bytea AND shard = $2::bigint"};

static const struct statement list = {"crl_list",
	"SELECT serial, extract(epoch FROM revoked_at)::bigint, revocation_reason"
	" FROM certificate WHERE issuer = $1::bytea AND shard = $2::bigint"
	" AND revoked_at IS NOT NULL AND not_after >= (SELECT " KEEP_SINCE
	"  FROM crl_shard AS ours WHERE issuer = $1::bytea AND shard = $2::bigint)"};

/* A lock that a mass revocation has is waited for; `changed` has moved then, and the next CRL is due. */
static const struct statement publish = {"crl_publish",
	"UPDATE crl_shard SET published = $3::bigint, number = $5::bigint,"
	" this_update = to_timestamp($6::bigint), next_update = to_timestamp($7::bigint),"
	" der = $8::bytea WHERE issuer = $1::bytea AND shard = $2::bigint"
	" AND coalesce(number, 0) = $4::bigint RETURNING 1"};

static const struct statement forget = {"crl_forget",
	"DELETE FROM crl_shard WHERE issuer = $1::bytea AND shard = $2::bigint"
	" AND changed = $3::bigint AND published = $3::bigint"};

static const struct statement read_published = {"crl_fetch",
	"SELECT ours.issuer, ours.shard, ours.number,"
	" extract(epoch FROM ours.next_update)::bigint, ours.der"
	" FROM (SELECT issuer_id FROM issuer WHERE issuer_id > $1::bytea"
	"  AND issuer_id <= $1::bytea || decode(repeat('ff', 24), 'hex') AND kind = 'x509' LIMIT 1)"
	" AS ca CROSS JOIN LATERAL (SELECT * FROM crl_shard WHERE crl_shard.issuer = ca.issuer_id"
	"  AND crl_shard.shard = $2::bigint LIMIT 1) AS ours"};

static const struct statement list_shards = {"crl_list_shards",
	"SELECT issuer, shard, coalesce(number, 0),"
	" coalesce(extract(epoch FROM this_update), 0)::bigint,"
	" coalesce(extract(epoch FROM next_update), 0)::bigint,"
	" coalesce(octet_length(der), 0)::bigint, changed <> published FROM crl_shard"
	" WHERE (issuer, shard) > ($1::bytea, $2::bigint) ORDER BY issuer, shard LIMIT $3::bigint"};

const struct statement *const crl_statements[] = {&find_changed, &find_old, &look, &list, &publish,
	&forget, &read_published, &list_shards, NULL};

static struct value issuer_of(const struct crl_key *key)
{
	return value_bytes((struct view){key->issuer, CRL_ISSUER_SIZE});
}

static enum err take_key(const PGresult *rows, int row, struct crl_key *out)
{
	out->shard = row_int(rows, row, 1);
	return row_copy(rows, row, 0, out->issuer, CRL_ISSUER_SIZE);
}

/* The second statement of two: where the first found none. */
static enum err take_due(const PGresult *rows, void *into)
{
	struct crl_due *out = into;

	if (out->n > 0)
		return OK;
	while (out->n < CRL_DUE_MAX && (int)out->n < PQntuples(rows)) {
		TRY(take_key(rows, (int)out->n, &out->keys[out->n]));
		out->n++;
	}
	return OK;
}

enum err crl_find_due(struct db *db, const uint8_t issuer[static CRL_ISSUER_SIZE],
	int64_t remake_before, struct crl_due *out)
{
	struct value of = value_bytes((struct view){issuer, CRL_ISSUER_SIZE});
	struct value limit = value_int(CRL_DUE_MAX);
	struct pipeline trip = {.n = 0};

	out->n = 0;
	STEP(&trip, &find_changed, of, limit);
	step_take(&trip, take_due, out);
	STEP(&trip, &find_old, of, limit, value_int(remake_before));
	step_take(&trip, take_due, out);
	return db_run(db, &trip, LOST_REPEAT_ONCE);
}

void crl_work_free(struct crl_work *work)
{
	free(work->entries);
	work->entries = NULL;
	work->n = 0;
}

enum { CHANGED, BEFORE, NUMBER, BASE, IS_OVER };

static enum err take_work(const PGresult *rows, void *into)
{
	struct crl_work *out = into;

	if (PQntuples(rows) == 0)
		return OK;
	out->is_there = true;
	out->changed = row_int(rows, 0, CHANGED);
	out->before = row_int(rows, 0, BEFORE);
	out->number = row_int(rows, 0, NUMBER);
	row_text(rows, 0, BASE, out->base, sizeof(out->base));
	out->is_over = row_bool(rows, 0, IS_OVER);
	return OK;
}

static enum err take_entry(const PGresult *rows, int row, struct revoked *out)
{
	struct view serial = row_bytes(rows, row, 0);
	char reason[33];

	if (serial.n > sizeof(out->serial))
		return fail(ERR_INTERNAL, "database-error", "a serial of %zu bytes", serial.n);
	memcpy(out->serial, serial.p, serial.n);
	out->serial_n = serial.n;
	out->at = row_int(rows, row, 1);
	row_text(rows, row, 2, reason, sizeof(reason));
	if (!revoked_reason_read(reason, &out->reason))
		out->reason = REVOKED_UNSPECIFIED;
	return OK;
}

static enum err take_entries(const PGresult *rows, void *into)
{
	struct crl_work *out = into;
	size_t n = (size_t)PQntuples(rows);

	if ((out->entries = calloc(n + 1, sizeof(*out->entries))) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "%zu entries of a CRL", n);
	for (; out->n < n; out->n++)
		TRY(take_entry(rows, (int)out->n, &out->entries[out->n]));
	return OK;
}

enum err crl_look(
	struct db *db, const struct crl_key *key, int64_t keep_since, struct crl_work *out)
{
	struct value shard = value_int(key->shard), since = value_int(keep_since);
	struct pipeline trip = {.n = 0};

	*out = (struct crl_work){.n = 0};
	STEP(&trip, &look, issuer_of(key), shard, since);
	step_take(&trip, take_work, out);
	STEP(&trip, &list, issuer_of(key), shard, since);
	step_take(&trip, take_entries, out);
	return db_run(db, &trip, LOST_REPEAT_ONCE);
}

static enum err take_won(const PGresult *rows, void *into)
{
	bool *is_ours = into;

	*is_ours = PQntuples(rows) == 1;
	return OK;
}

enum err crl_publish(
	struct db *db, const struct crl_key *key, const struct crl_made *made, bool *is_ours)
{
	const struct crl_work *of = made->of;
	struct pipeline trip = {.n = 0};

	STEP(&trip, &publish, issuer_of(key), value_int(key->shard), value_int(of->changed),
		value_int(of->before), value_int(of->number), value_int(made->this_update),
		value_int(made->next_update), value_bytes(made->der));
	step_take(&trip, take_won, is_ours);
	return db_run(db, &trip, LOST_GIVE_UP);
}

enum err crl_forget(struct db *db, const struct crl_key *key, const struct crl_work *work)
{
	struct pipeline trip = {.n = 0};

	STEP(&trip, &forget, issuer_of(key), value_int(key->shard), value_int(work->changed));
	return db_run(db, &trip, LOST_REPEAT_ONCE);
}

static enum err take_published(const PGresult *rows, void *into)
{
	struct crl_published *out = into;
	struct view der;

	if (PQntuples(rows) == 0)
		return OK;
	out->is_there = true;
	TRY(take_key(rows, 0, &out->key));
	out->number = row_int(rows, 0, 2);
	out->next_update = row_int(rows, 0, 3);
	der = row_bytes(rows, 0, 4);
	out->der = BUF(der.n);
	buf_add(&out->der, der);
	return buf_ok(&out->der);
}

enum err crl_fetch(
	struct db *db, const uint8_t short_id[static 8], int64_t shard, struct crl_published *out)
{
	struct pipeline trip = {.n = 0};
	enum err err;

	*out = (struct crl_published){.der = BUF(0)};
	STEP(&trip, &read_published, value_bytes((struct view){short_id, 8}), value_int(shard));
	step_take(&trip, take_published, out);
	err = db_run(db, &trip, LOST_REPEAT_ONCE);
	standing_note(db_standing(db), err);
	return err;
}

struct listed {
	struct crl_row **rows;
	size_t *n;
};

static enum err take_row(const PGresult *rows, int row, struct crl_row *out)
{
	out->number = row_int(rows, row, 2);
	out->this_update = row_int(rows, row, 3);
	out->next_update = row_int(rows, row, 4);
	out->bytes = row_int(rows, row, 5);
	out->is_behind = row_bool(rows, row, 6);
	return take_key(rows, row, &out->key);
}

static enum err take_listed(const PGresult *rows, void *into)
{
	const struct listed *out = into;
	size_t n = (size_t)PQntuples(rows);

	if ((*out->rows = calloc(n + 1, sizeof(**out->rows))) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "%zu shards", n);
	for (*out->n = 0; *out->n < n; ++*out->n)
		TRY(take_row(rows, (int)*out->n, &(*out->rows)[*out->n]));
	return OK;
}

enum err crl_list(
	struct db *db, const struct crl_key *after, size_t limit, struct crl_row **rows, size_t *n)
{
	static const struct crl_key before_all = {.shard = -1};
	const struct crl_key *from = after == NULL ? &before_all : after;
	struct pipeline trip = {.n = 0};
	struct listed listed = {rows, n};

	*rows = NULL;
	*n = 0;
	STEP(&trip, &list_shards, issuer_of(from), value_int(from->shard),
		value_int((int64_t)limit));
	step_take(&trip, take_listed, &listed);
	return db_run(db, &trip, LOST_REPEAT_ONCE);
}
