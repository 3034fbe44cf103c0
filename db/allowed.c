#include "db/allowed.h"

#include "ca/base/encode.h"
#include "db/array.h"
#include "db/connection.h"
#include "db/lock.h"
#include "db/pattern.h"

#include <stdlib.h>

#define COLUMN_BYTES ((size_t)64 << 20) /* of all entries' labels, or digests, and so on */

/*
 * All entries are judged by one snapshot, in which no enrollment is half done (lock_add_rules()): first
 * against what is there, then against those before them in the same list. The audit rows hang on
 * what was really added.
 */
static const struct statement add_allowed = {"add_allowed",
	"WITH asked AS MATERIALIZED (SELECT *, first_value(place) OVER ek < place AS is_again,"
	"  (serial, host, labels) IS DISTINCT FROM (first_value(serial) OVER ek,"
	"   first_value(host) OVER ek, first_value(labels) OVER ek) AS is_other,"
	"  host IS NOT NULL AND first_value(ek_digest) OVER (PARTITION BY host ORDER BY place)"
	"   <> ek_digest AS is_others_host"
	"  FROM (SELECT ek_digest, ek_public, serial, host COLLATE \"C\" AS host,"
	"    labels::jsonb AS labels, place"
	"   FROM unnest($1::bytea[], $2::bytea[], $3::text[], $4::text[], $5::text[])"
	"   WITH ORDINALITY AS entry (ek_digest, ek_public, serial, host, labels, place)) AS entry"
	"  WINDOW ek AS (PARTITION BY ek_digest ORDER BY place)),"
	" judged AS MATERIALIZED (SELECT asked.*, CASE"
	"  WHEN known.ek_digest IS NOT NULL THEN CASE WHEN (asked.serial, asked.host, asked.labels)"
	"   IS NOT DISTINCT FROM (known.serial, known.host::text, known.labels) THEN 1 ELSE 2 END"
	"  WHEN is_again AND is_other THEN 2"
	"  WHEN is_others_host"
	"   OR (SELECT named.ek_digest FROM ek_allowed AS named WHERE named.host = asked.host)"
	"    IS NOT NULL THEN 3"
	"  WHEN holder.device_id IS DISTINCT FROM own.device_id AND holder.device_id IS NOT NULL"
	"   THEN 4"
	"  WHEN asked.host IS NOT NULL AND holder.device_id IS NULL"
	"   AND (SELECT count(*) FROM host WHERE device_id = own.device_id) > 0 THEN 5"
	"  WHEN is_again THEN 1 ELSE 0 END AS fate"
	"  FROM asked"
	"  LEFT JOIN LATERAL (SELECT * FROM ek_allowed"
	"   WHERE ek_allowed.ek_digest = asked.ek_digest LIMIT 1) AS known ON true"
	"  LEFT JOIN LATERAL (SELECT device_id FROM ek"
	"   WHERE ek.ek_digest = asked.ek_digest LIMIT 1) AS own ON true"
	"  LEFT JOIN LATERAL (SELECT device_id FROM host"
	"   WHERE host.name = asked.host LIMIT 1) AS holder ON true),"
	" added AS (INSERT INTO ek_allowed (ek_digest, ek_public, serial, host, labels, source,"
	"   added_at, added_by, why)"
	"  SELECT ek_digest, ek_public, serial, host, labels, $6::text, to_timestamp($9::bigint),"
	"   $10::text, $11::text FROM judged WHERE fate = 0 AND NOT $8::boolean"
	"   AND ($7::boolean OR NOT EXISTS (SELECT FROM judged WHERE fate > 1)) ORDER BY place"
	"  RETURNING ek_digest, host),"
	" noted AS (INSERT INTO audit (at, event, device_id, ek_digest, host, detail, who,"
	"   client_address, request_id)"
	"  SELECT to_timestamp($9::bigint), 'ek.allowed',"
	"   (SELECT device_id FROM ek WHERE ek.ek_digest = added.ek_digest), ek_digest, host,"
	"   left($6::text || ': ' || $11::text, 512), $10::text, $12::text, $13::text FROM added)"
	" SELECT fate::bigint FROM judged ORDER BY place"};

static const struct statement remove_allowed = {"remove_allowed",
	"WITH gone AS (DELETE FROM ek_allowed WHERE ek_digest = $1::bytea RETURNING host),"
	" noted AS (INSERT INTO audit (at, event, device_id, ek_digest, host, detail, who,"
	"   client_address, request_id)"
	"  SELECT to_timestamp($2::bigint), 'ek.disallowed',"
	"   (SELECT device_id FROM ek WHERE ek_digest = $1::bytea), $1::bytea, host, $3::text,"
	"   $4::text, $5::text, $6::text FROM gone)"
	" SELECT EXISTS (SELECT FROM gone)"};

static const struct statement read_allowed = {"read_allowed",
	"SELECT ek_digest, serial, host::text, labels::text, extract(epoch FROM added_at)::bigint,"
	" source, added_by, why,"
	" EXISTS (SELECT FROM ek WHERE ek.ek_digest = ek_allowed.ek_digest)"
	" FROM ek_allowed WHERE ek_digest > coalesce($1::bytea, '')"
	" AND ($2::text IS NULL OR host LIKE $2::text ESCAPE '\\')"
	" AND ($3::text IS NULL OR serial = $3::text)"
	" ORDER BY ek_digest LIMIT $4::bigint"};

const struct statement *const allowed_statements[] = {
	&add_allowed, &remove_allowed, &read_allowed, NULL};

void allowed_page_free(struct allowed_page *page)
{
	free(page->items);
	*page = (struct allowed_page){0};
}

enum { EK, SERIAL, HOST, LABELS, ADDED_AT, SOURCE, ADDED_BY, WHY, IS_ENROLLED };

static enum err take_row(const PGresult *rows, int row, struct allowed_row *out)
{
	row_text(rows, row, SERIAL, out->serial, sizeof(out->serial));
	row_text(rows, row, HOST, out->host, sizeof(out->host));
	row_text(rows, row, LABELS, out->labels, sizeof(out->labels));
	row_text(rows, row, SOURCE, out->source, sizeof(out->source));
	row_text(rows, row, ADDED_BY, out->added_by, sizeof(out->added_by));
	row_text(rows, row, WHY, out->why, sizeof(out->why));
	out->added_at = row_int(rows, row, ADDED_AT);
	out->is_enrolled = row_bool(rows, row, IS_ENROLLED);
	return row_copy(rows, row, EK, out->ek_digest, DIGEST_SIZE);
}

struct taking {
	struct allowed_page *page;
	size_t limit;
};

static enum err take_page(const PGresult *rows, void *into)
{
	const struct taking *taking = into;
	struct allowed_page *page = taking->page;
	size_t n = (size_t)PQntuples(rows);

	page->more = n > taking->limit;
	n = page->more ? taking->limit : n;
	if ((page->items = calloc(n + 1, sizeof(*page->items))) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "allowed_read");
	for (page->n = 0; page->n < n; page->n++)
		TRY(take_row(rows, (int)page->n, &page->items[page->n]));
	return OK;
}

enum err allowed_read(struct db *db, const struct allowed_query *query, struct allowed_page *page)
{
	AUTO(buf_free) struct buf pattern = BUF(2 * ALLOWED_TEXT);
	struct taking taking = {page, query->limit};
	struct pipeline trip = {.n = 0};

	*page = (struct allowed_page){0};
	if (query->host != NULL)
		TRY(pattern_add(&pattern, query->host));
	STEP(&trip, &read_allowed,
		value_bytes((struct view){query->after, query->after == NULL ? 0 : DIGEST_SIZE}),
		value_text(query->host == NULL ? NULL : buf_text(&pattern)),
		value_prose(query->serial), value_int((int64_t)query->limit + 1));
	step_take(&trip, take_page, &taking);
	return db_run(db, &trip, LOST_GIVE_UP);
}

/* The entries, by columns. */
struct columns {
	struct array digests, publics, serials, hosts, labels;
};

static void columns_free(struct columns *columns)
{
	array_free(&columns->digests);
	array_free(&columns->publics);
	array_free(&columns->serials);
	array_free(&columns->hosts);
	array_free(&columns->labels);
}

static void columns_fill(struct columns *columns, const struct allowed *entries, size_t n)
{
	array_begin(&columns->digests, ARRAY_BYTES, n, COLUMN_BYTES);
	array_begin(&columns->publics, ARRAY_BYTES, n, COLUMN_BYTES);
	array_begin(&columns->serials, ARRAY_TEXT, n, COLUMN_BYTES);
	array_begin(&columns->hosts, ARRAY_TEXT, n, COLUMN_BYTES);
	array_begin(&columns->labels, ARRAY_TEXT, n, COLUMN_BYTES);
	for (size_t i = 0; i < n; i++) {
		const struct allowed *entry = &entries[i];
		bool has_public = entry->ek_public.n > 0;

		array_add(&columns->digests, VIEW(entry->ek_digest));
		array_add(
			&columns->publics, has_public ? entry->ek_public : (struct view){NULL, 0});
		array_add_prose(&columns->serials, entry->serial);
		array_add(&columns->hosts, view_str(entry->host));
		array_add(&columns->labels, view_str(entry->labels == NULL ? "{}" : entry->labels));
	}
}

struct fates {
	enum allowed_fate *of;
	size_t n;
};

static enum err take_fates(const PGresult *rows, void *into)
{
	const struct fates *fates = into;

	if ((size_t)PQntuples(rows) != fates->n)
		return fail(ERR_INTERNAL, "database-error", "%d fates of %zu entries",
			PQntuples(rows), fates->n);
	for (size_t i = 0; i < fates->n; i++)
		fates->of[i] = (enum allowed_fate)row_int(rows, (int)i, 0);
	return OK;
}

enum err allowed_add(struct db *db, const struct allowed *entries, size_t n, const char *source,
	bool skip_bad, bool dry_run, const struct act *act, enum allowed_fate *fate)
{
	AUTO(columns_free) struct columns columns = {.digests = {.missing = 0}};
	struct value digests, publics, serials, hosts, labels;
	struct fates fates = {fate, n};
	struct pipeline trip = {.n = 0};

	columns_fill(&columns, entries, n);
	TRY(array_value(&columns.digests, &digests));
	TRY(array_value(&columns.publics, &publics));
	TRY(array_value(&columns.serials, &serials));
	TRY(array_value(&columns.hosts, &hosts));
	TRY(array_value(&columns.labels, &labels));
	lock_add_rules(&trip);
	STEP(&trip, &add_allowed, digests, publics, serials, hosts, labels, value_prose(source),
		value_bool(skip_bad), value_bool(dry_run), value_int(act->now),
		value_prose(act->who), value_prose(act->reason), value_prose(act->from),
		value_prose(act->request_id));
	step_take(&trip, take_fates, &fates);
	return db_run(db, &trip, LOST_GIVE_UP);
}

static enum err take_bool(const PGresult *rows, void *into)
{
	*(bool *)into = row_bool(rows, 0, 0);
	return OK;
}

enum err allowed_remove(
	struct db *db, const uint8_t ek_digest[static DIGEST_SIZE], const struct act *act)
{
	struct view digest = {ek_digest, DIGEST_SIZE};
	struct pipeline trip = {.n = 0};
	char hex[2 * DIGEST_SIZE + 1];
	bool found = false;

	lock_add_rules(&trip);
	STEP(&trip, &remove_allowed, value_bytes(digest), value_int(act->now),
		value_prose(act->reason), value_prose(act->who), value_prose(act->from),
		value_prose(act->request_id));
	step_take(&trip, take_bool, &found);
	TRY(db_run(db, &trip, LOST_GIVE_UP));
	if (found)
		return OK;
	hex_write(digest, hex);
	return refuse(ERR_NOT_FOUND, "ek-unknown", "PROTOCOL allow-list",
		"the EK %s is not on the allow-list", hex);
}
