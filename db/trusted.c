#include "db/trusted.h"

#include "ca/base/encode.h"
#include "db/array.h"
#include "db/connection.h"

#include <stdlib.h>

#define DER_BYTES ((size_t)256 << 20) /* of all items together */
#define TEXT_BYTES ((size_t)64 << 20)

/* First, so that changes come one after the other and revisions in the order of committing. */
static const struct statement lock_trust = {
	"lock_trust", "SELECT revision FROM trust_state WHERE one FOR UPDATE"};

static const struct statement read_revision = {
	"read_revision", "SELECT revision FROM trust_state WHERE one"};

/* One statement, so one snapshot; the revision comes with each row, and in one without a certificate
 * where there is none. */
static const struct statement read_trusted = {"read_trusted",
	"SELECT state.revision, sha256, role, der, manufacturers, source, path,"
	" extract(epoch FROM imported_at)::bigint, imported_by, why"
	" FROM trust_state AS state LEFT JOIN trusted ON true WHERE state.one ORDER BY place"};

/* Audit rows and the revision hang on what was really added. */
static const struct statement add_trusted = {"add_trusted",
	"WITH added AS (INSERT INTO trusted (sha256, role, der, manufacturers, source, path,"
	"   imported_at, imported_by, why)"
	"  SELECT sha256, role, der, manufacturers, source, path, to_timestamp($7::bigint),"
	"   coalesce($8::text, ''), coalesce($9::text, '')"
	"  FROM unnest($1::bytea[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[])"
	"  WITH ORDINALITY AS item (sha256, role, der, manufacturers, source, path, place)"
	"  ORDER BY place ON CONFLICT DO NOTHING RETURNING sha256, role, source, place),"
	" noted AS (INSERT INTO audit (at, event, detail, who, client_address, request_id)"
	"  SELECT to_timestamp($7::bigint), 'trust.imported',"
	"   left(encode(sha256, 'hex') || ' ' || role || ' of ' || left(source, 128) || ': '"
	"    || coalesce($9::text, ''), 512), $8::text, $10::text, $11::text"
	"  FROM added ORDER BY place),"
	" raised AS (UPDATE trust_state SET revision = revision + 1"
	"  WHERE one AND EXISTS (SELECT FROM added))"
	" SELECT count(*) FROM added"};

static const struct statement remove_trusted = {"remove_trusted",
	"WITH gone AS (DELETE FROM trusted WHERE sha256 = $1::bytea RETURNING role, source),"
	" noted AS (INSERT INTO audit (at, event, detail, who, client_address, request_id)"
	"  SELECT to_timestamp($2::bigint), 'trust.removed',"
	"   left(encode($1::bytea, 'hex') || ' ' || role || ' of ' || left(source, 128) || ': '"
	"    || coalesce($4::text, ''), 512), $3::text, $5::text, $6::text FROM gone),"
	" raised AS (UPDATE trust_state SET revision = revision + 1"
	"  WHERE one AND EXISTS (SELECT FROM gone))"
	" SELECT count(*) FROM gone"};

const struct statement *const trusted_statements[] = {
	&lock_trust, &read_revision, &read_trusted, &add_trusted, &remove_trusted, NULL};

void trusted_rows_free(struct trusted_rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		buf_free(&rows->items[i].der);
	free(rows->items);
	*rows = (struct trusted_rows){0};
}

static enum err take_int(const PGresult *rows, void *into)
{
	int64_t *out = into;

	if (PQntuples(rows) != 1)
		return fail(ERR_INTERNAL, "database-error", "%d rows and not one", PQntuples(rows));
	*out = row_int(rows, 0, 0);
	return OK;
}

enum err trusted_revision(struct db *db, int64_t *revision)
{
	struct pipeline trip = {.n = 0};

	step_add(&trip, &read_revision, NULL, 0);
	step_take(&trip, take_int, revision);
	return db_run(db, &trip, LOST_REPEAT_ONCE);
}

enum { REVISION, SHA256, ROLE, DER, MANUFACTURERS, SOURCE, PATH, IMPORTED_AT, IMPORTED_BY, WHY };

#define TAKE_TEXT(column, member) row_text(rows, row, column, out->member, sizeof(out->member))

static enum err take_row(const PGresult *rows, int row, struct trusted_row *out)
{
	struct view der = row_bytes(rows, row, DER);

	TAKE_TEXT(ROLE, role);
	TAKE_TEXT(MANUFACTURERS, manufacturers);
	TAKE_TEXT(SOURCE, source);
	TAKE_TEXT(PATH, path);
	TAKE_TEXT(IMPORTED_BY, imported_by);
	TAKE_TEXT(WHY, why);
	out->imported_at = row_int(rows, row, IMPORTED_AT);
	out->der = BUF(der.n);
	buf_add(&out->der, der);
	if (out->der.failed)
		return fail(ERR_INTERNAL, "out-of-memory", "a certificate of %zu bytes", der.n);
	out->item = (struct trusted){.role = out->role,
		.der = buf_view(&out->der),
		.manufacturers = out->manufacturers,
		.source = out->source,
		.path = out->path};
	return row_copy(rows, row, SHA256, out->item.sha256, DIGEST_SIZE);
}

static enum err take_rows(const PGresult *rows, void *into)
{
	struct trusted_rows *out = into;
	size_t n = (size_t)PQntuples(rows);

	if (n == 0)
		return fail(ERR_INTERNAL, "database-error", "there is no revision of trust");
	out->revision = row_int(rows, 0, REVISION);
	if (row_is_null(rows, 0, SHA256))
		return OK;
	if ((out->items = calloc(n, sizeof(*out->items))) == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "trusted_read");
	while (out->n < n) {
		out->n++;
		TRY(take_row(rows, (int)out->n - 1, &out->items[out->n - 1]));
	}
	return OK;
}

enum err trusted_read(struct db *db, struct trusted_rows *rows)
{
	struct pipeline trip = {.n = 0};

	*rows = (struct trusted_rows){0};
	step_add(&trip, &read_trusted, NULL, 0);
	step_take(&trip, take_rows, rows);
	return db_run(db, &trip, LOST_GIVE_UP);
}

/* The items, by columns. */
struct columns {
	struct array digests, roles, ders, manufacturers, sources, paths;
};

static void columns_free(struct columns *columns)
{
	array_free(&columns->digests);
	array_free(&columns->roles);
	array_free(&columns->ders);
	array_free(&columns->manufacturers);
	array_free(&columns->sources);
	array_free(&columns->paths);
}

static const char *or_nothing(const char *text)
{
	return text == NULL ? "" : text;
}

static void columns_fill(struct columns *columns, const struct trusted *items, size_t n)
{
	array_begin(&columns->digests, ARRAY_BYTES, n, n * DIGEST_SIZE);
	array_begin(&columns->roles, ARRAY_TEXT, n, TEXT_BYTES);
	array_begin(&columns->ders, ARRAY_BYTES, n, DER_BYTES);
	array_begin(&columns->manufacturers, ARRAY_TEXT, n, TEXT_BYTES);
	array_begin(&columns->sources, ARRAY_TEXT, n, TEXT_BYTES);
	array_begin(&columns->paths, ARRAY_TEXT, n, TEXT_BYTES);
	for (size_t i = 0; i < n; i++) {
		array_add(&columns->digests, VIEW(items[i].sha256));
		array_add(&columns->roles, view_str(items[i].role));
		array_add(&columns->ders, items[i].der);
		array_add_prose(&columns->manufacturers, or_nothing(items[i].manufacturers));
		array_add_prose(&columns->sources, or_nothing(items[i].source));
		array_add_prose(&columns->paths, or_nothing(items[i].path));
	}
}

static enum err add_import(
	struct pipeline *trip, const struct columns *columns, const struct act *act, int64_t *added)
{
	struct value digests, roles, ders, manufacturers, sources, paths;

	TRY(array_value(&columns->digests, &digests));
	TRY(array_value(&columns->roles, &roles));
	TRY(array_value(&columns->ders, &ders));
	TRY(array_value(&columns->manufacturers, &manufacturers));
	TRY(array_value(&columns->sources, &sources));
	TRY(array_value(&columns->paths, &paths));
	STEP(trip, &add_trusted, digests, roles, ders, manufacturers, sources, paths,
		value_int(act->now), value_prose(act->who), value_prose(act->reason),
		value_prose(act->from), value_prose(act->request_id));
	step_take(trip, take_int, added);
	return OK;
}

enum err trusted_import(
	struct db *db, const struct trusted *items, size_t n, const struct act *act, size_t *added)
{
	AUTO(columns_free) struct columns columns = {.digests = {.missing = 0}};
	struct pipeline trip = {.n = 0};
	int64_t count = 0;

	columns_fill(&columns, items, n);
	step_add(&trip, &lock_trust, NULL, 0);
	TRY(add_import(&trip, &columns, act, &count));
	TRY(db_run(db, &trip, LOST_GIVE_UP));
	*added = (size_t)count;
	return OK;
}

enum err trusted_remove(
	struct db *db, const uint8_t sha256[static DIGEST_SIZE], const struct act *act)
{
	struct view digest = {sha256, DIGEST_SIZE};
	struct pipeline trip = {.n = 0};
	char hex[2 * DIGEST_SIZE + 1];
	int64_t gone = 0;

	step_add(&trip, &lock_trust, NULL, 0);
	STEP(&trip, &remove_trusted, value_bytes(digest), value_int(act->now),
		value_prose(act->who), value_prose(act->reason), value_prose(act->from),
		value_prose(act->request_id));
	step_take(&trip, take_int, &gone);
	TRY(db_run(db, &trip, LOST_GIVE_UP));
	if (gone == 1)
		return OK;
	hex_write(digest, hex);
	return refuse(ERR_NOT_FOUND, "certificate-unknown", "PROTOCOL vendors",
		"no imported certificate or CRL has the SHA-256 %s: what the configuration brings "
		"is taken out there (trust, vendors), and endorsectl reload",
		hex);
}
