#include "db/devices.h"

#include "db/connection.h"
#include "db/cursor.h"
#include "db/found_rows.h"
#include "db/pattern.h"

#include <stdio.h>
#include <string.h>

/* $3 to $13: what is asked for; the rest is the index's. */
#define PASSES                                                                                     \
	" WHERE ($3::text IS NULL OR d.state = $3::text)"                                          \
	" AND ($4::text IS NULL OR d.manufacturer = $4::text)"                                     \
	" AND ($5::text IS NULL OR CASE WHEN $6::text IS NULL"                                     \
	"  THEN jsonb_exists(d.labels, $5::text)"                                                  \
	"  ELSE coalesce(d.labels ->> $5::text = $6::text, false) END)"                            \
	" AND ($7::text IS NULL OR EXISTS (SELECT FROM host WHERE host.device_id = d.device_id"    \
	"  AND host.name LIKE $7::text ESCAPE '\\'))"                                              \
	" AND d.created_at >= to_timestamp($8::bigint)"                                            \
	" AND d.created_at < to_timestamp($9::bigint)"                                             \
	" AND ($10::uuid IS NULL OR d.device_id = $10::uuid)"                                      \
	" AND ($11::bytea IS NULL"                                                                 \
	"  OR (SELECT ek.device_id FROM ek WHERE ek.ek_digest = $11::bytea) = d.device_id)"        \
	" AND ($12::bytea IS NULL OR (SELECT c.device_id FROM certificate AS c"                    \
	"  WHERE c.serial = $12::bytea) = d.device_id)"                                            \
	" AND ($13::text IS NULL OR (SELECT count(*) FROM ek WHERE ek.device_id = d.device_id"     \
	"  AND (SELECT ek_allowed.serial FROM ek_allowed WHERE ek_allowed.ek_digest = "            \
	"ek.ek_digest)"                                                                            \
	"  = $13::text) > 0)"

/* Beside macros clang-format moves texts to the right, further each time. */
/* clang-format off */
#define DEVICE \
	PLAIN_UUID("d.device_id") " AS device_id, d.state, " \
	SECONDS("d.created_at") " AS created_at, " \
	SECONDS("d.last_success_at") " AS last_success_at," \
	" d.manufacturer, d.model, d.version, d.trust_class, d.trust_source"
#define SHOWN \
	DEVICE ", (SELECT coalesce(json_agg(host.name ORDER BY host.alias, host.name), '[]')" \
	" FROM host WHERE host.device_id = d.device_id) AS hosts," \
	" d.labels::json AS labels, " \
	SECONDS("d.barred_at") " AS barred_at, d.barred_reason"
/* clang-format on */

/* By its key, whatever the planner would rather scan. */
#define JOINED                                                                                     \
	"stretch CROSS JOIN LATERAL (SELECT * FROM device"                                         \
	" WHERE device.device_id = stretch.device_id LIMIT 1) AS d"
#define TIME_KEY                                                                                   \
	"'t' || " MICROS("stretch.created_at") " || '-' || " PLAIN_UUID("stretch.device_id")
#define MARK MOMENT("$14")
/* Out of a table whose index ends with created_at and device_id, from the newest on. One upper bound alone, $14
 * and $15: of two, the server would begin at either. */
#define BY_TIME(table, of_index)                                                                   \
	FOUND_LIST("SELECT created_at, device_id FROM " table " WHERE " of_index                   \
		   " created_at >= to_timestamp($8::bigint)"                                       \
		   " AND (created_at, device_id) < (" MARK ", $15::uuid)"                          \
		   " ORDER BY created_at DESC, device_id DESC LIMIT $1::bigint",                   \
		"created_at, device_id", TIME_KEY, SHOWN, JOINED PASSES,                           \
		"stretch.created_at DESC, stretch.device_id DESC")

static const struct statement find_newest = {"devices_newest", BY_TIME("device", "")};
static const struct statement find_barred = {
	"devices_barred", BY_TIME("device", "state <> 'active' AND state = $3::text AND")};
static const struct statement find_made = {
	"devices_made", BY_TIME("device", "manufacturer = $4::text AND")};
static const struct statement find_labelled = {
	"devices_labelled", BY_TIME("device_label", "name = $5::text AND value = $6::text AND")};

/* In the order of names, or of reversed names; a device that has several that fit comes once. */
#define BY_HOST(of_index, sign)                                                                    \
	FOUND_LIST("SELECT name::text AS name, device_id FROM host WHERE " of_index                \
		   " >= $15::text AND " of_index " < $16::text AND " of_index " > $14::text"       \
		   " ORDER BY " of_index " LIMIT $1::bigint",                                      \
		of_index " DESC", "'" sign "' || stretch.name", SHOWN,                             \
		JOINED PASSES                                                                      \
		" AND stretch.name LIKE $7::text ESCAPE '\\'"                                      \
		" AND (SELECT count(*) FROM host AS other WHERE other.device_id = d.device_id"     \
		" AND other.name LIKE $7::text ESCAPE '\\' AND other.name < stretch.name) = 0",    \
		of_index)
#define NAME "name::text COLLATE \"C\""
#define REVERSED "reverse(name::text) COLLATE \"C\""
static const struct statement find_named = {"devices_named", BY_HOST(NAME, "h")};
static const struct statement find_named_backwards = {
	"devices_named_backwards", BY_HOST(REVERSED, "r")};

/* By what only one device has, or a few. */
static const struct statement find_few = {"devices_few",
	FOUND_LIST("SELECT device_id, created_at FROM device WHERE device_id = ANY (ARRAY("
		   " SELECT $10::uuid WHERE $10::uuid IS NOT NULL"
		   " UNION ALL (SELECT ek.device_id FROM ek WHERE ek_digest = $11::bytea)"
		   " UNION ALL (SELECT c.device_id FROM certificate AS c WHERE serial = $12::bytea)"
		   " UNION ALL (SELECT its.device_id FROM (SELECT (SELECT ek.device_id FROM ek"
		   "   WHERE ek.ek_digest = ek_allowed.ek_digest) AS device_id FROM ek_allowed"
		   "   WHERE ek_allowed.serial = $13::text OFFSET 0) AS its"
		   "  WHERE its.device_id IS NOT NULL LIMIT $1::bigint)))"
		   " AND (created_at, device_id) < (" MARK ", $15::uuid)"
		   " ORDER BY created_at DESC, device_id DESC LIMIT $1::bigint",
		"created_at, device_id", TIME_KEY, SHOWN, JOINED PASSES,
		"stretch.created_at DESC, stretch.device_id DESC")};

/* clang-format off */
/* A part of what one device has, as a list of objects. */
#define LIST(name, part) \
	" (SELECT coalesce(json_agg(json_strip_nulls(row_to_json(part))), '[]')" \
	" FROM (SELECT " part ") AS part) AS " name
#define NAMES \
	"name, alias, " SECONDS("bound_at") " AS bound_at" \
	" FROM host WHERE host.device_id = d.device_id" \
	" ORDER BY alias, name LIMIT 100"
#define EKS \
	"encode(ek.ek_digest, 'hex') AS digest, ek.kind," \
	" ek.certificate IS NOT NULL AS has_certificate, " \
	SECONDS("ek.created_at") " AS created_at," \
	" allowed.serial AS machine, allowed.host AS registered_for" \
	" FROM ek LEFT JOIN LATERAL (SELECT serial, host FROM ek_allowed" \
	" WHERE ek_allowed.ek_digest = ek.ek_digest LIMIT 1) AS allowed ON true" \
	" WHERE ek.device_id = d.device_id" \
	" ORDER BY ek.created_at LIMIT 16"
#define AKS \
	"encode(name, 'hex') AS name, kind, state, " \
	SECONDS("created_at") " AS created_at, " \
	SECONDS("proven_at") " AS proven_at" \
	" FROM ak WHERE ak.device_id = d.device_id" \
	" ORDER BY ak.state, ak.created_at DESC LIMIT 16"
#define CERTIFICATES \
	" (SELECT json_build_object('all', count(*), 'revoked', count(c.revoked_at), 'in_force'," \
	"  count(*) FILTER (WHERE c.revoked_at IS NULL AND c.not_after > now()))" \
	"  FROM certificate AS c WHERE c.device_id = d.device_id) AS certificates"
#define ATTEMPTS \
	"encode(attempt_id, 'hex') AS id, held.host, held.state, " \
	SECONDS("last_at") " AS last_at" \
	" FROM ek CROSS JOIN LATERAL (SELECT * FROM pending" \
	" WHERE pending.ek_digest = ek.ek_digest LIMIT 16) AS held" \
	" WHERE ek.device_id = d.device_id" \
	" ORDER BY last_at DESC LIMIT 16"

static const struct statement show_device = {"device_show",
	"SELECT " DEVICE ", d.trust_version, d.labels::json AS labels, "
	SECONDS("d.last_refusal_at") " AS last_refusal_at, d.last_refusal_code, "
	SECONDS("d.barred_at") " AS barred_at, d.barred_reason, d.barred_why, d.barred_by,"
	LIST("names", NAMES) ","
	LIST("eks", EKS) ","
	LIST("aks", AKS) ","
	CERTIFICATES ","
	LIST("attempts", ATTEMPTS)
	" FROM device AS d WHERE d.device_id = $1::uuid"};
/* clang-format on */

const struct statement *const devices_statements[] = {&find_newest, &find_barred, &find_made,
	&find_labelled, &find_named, &find_named_backwards, &find_few, &show_device, NULL};

/* Which index is asked, and in which order its rows come. */
struct way {
	const struct statement *statement;
	enum cursor_order order;
};

static bool is_few(const struct devices_query *query)
{
	return query->device_id != NULL || query->ek_digest != NULL || query->serial != NULL ||
	       query->machine != NULL;
}

/* The one that leaves the fewest rows, by what is usual of fleets. */
static struct way choose(const struct devices_query *query, const struct pattern_range *range)
{
	if (is_few(query))
		return (struct way){&find_few, CURSOR_TIME};
	if (query->host != NULL && range->is_reversed)
		return (struct way){&find_named_backwards, CURSOR_TAIL};
	if (query->host != NULL)
		return (struct way){&find_named, CURSOR_HOST};
	if (query->state != NULL && strcmp(query->state, "active") != 0)
		return (struct way){&find_barred, CURSOR_TIME};
	if (query->label_text != NULL)
		return (struct way){&find_labelled, CURSOR_TIME};
	if (query->manufacturer != NULL)
		return (struct way){&find_made, CURSOR_TIME};
	return (struct way){&find_newest, CURSOR_TIME};
}

/* Without a further condition each row that the index gives is one of the page. */
static int64_t stretch_of(const struct devices_query *query, const struct pattern_range *range)
{
	bool is_plain = (query->host == NULL || range->is_whole) && query->state == NULL &&
			query->label_name == NULL && query->manufacturer == NULL && !is_few(query);

	return is_plain ? (int64_t)query->limit : FOUND_STRETCH;
}

static struct value bytes(const uint8_t *p, size_t n)
{
	return value_bytes((struct view){p, p == NULL ? 0 : n});
}

static void add_find(struct pipeline *trip, const struct way *way,
	const struct devices_query *query, const char *pattern, const struct pattern_range *range,
	const struct cursor *cursor)
{
	struct value values[16] = {value_int(stretch_of(query, range)),
		value_int((int64_t)query->limit), value_text(query->state),
		value_text(query->manufacturer), value_text(query->label_name),
		value_text(query->label_text), value_text(pattern), value_int(query->since),
		value_int(query->until), bytes(query->device_id, DEVICE_ID_SIZE),
		bytes(query->ek_digest, DIGEST_SIZE), bytes(query->serial, query->serial_n),
		value_text(query->machine)};

	if (way->order == CURSOR_TIME) {
		values[13] = value_int(cursor->number);
		values[14] = bytes(cursor->key, DEVICE_ID_SIZE);
		step_add(trip, way->statement, values, 15);
		return;
	}
	values[13] = value_text(cursor->name);
	values[14] = value_text(range->from);
	values[15] = value_text(range->to);
	step_add(trip, way->statement, values, 16);
}

enum err devices_find(struct db *db, const struct devices_query *query, struct found *out)
{
	AUTO(buf_free) struct buf pattern = BUF(1024);
	struct found_page page = {out, query->limit, 0};
	struct cursor cursor = {.number = query->until * 1000000};
	struct pattern_range range = {.is_exact = false};
	struct pipeline trip = {.n = 0};
	struct way way;

	*out = (struct found){0};
	if (query->host != NULL) {
		TRY(pattern_add(&pattern, query->host));
		pattern_range(query->host, &range);
	}
	way = choose(query, &range);
	page.stretch = stretch_of(query, &range);
	TRY(cursor_read(query->after, way.order, &cursor));
	if (way.order == CURSOR_TAIL)
		cursor_reverse(&cursor);
	add_find(&trip, &way, query, query->host == NULL ? NULL : buf_text(&pattern), &range,
		&cursor);
	step_take(&trip, found_take_page, &page);
	return db_run(db, &trip, LOST_REPEAT_ONCE);
}

enum err device_show(
	struct db *db, const uint8_t device_id[static DEVICE_ID_SIZE], struct found *out)
{
	struct pipeline trip = {.n = 0};

	*out = (struct found){0};
	STEP(&trip, &show_device, value_bytes((struct view){device_id, DEVICE_ID_SIZE}));
	step_take(&trip, found_take, out);
	return db_run(db, &trip, LOST_REPEAT_ONCE);
}
