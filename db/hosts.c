#include "db/hosts.h"

#include "db/connection.h"
#include "db/cursor.h"
#include "db/found_rows.h"
#include "db/pattern.h"

#include <string.h>

/* Beside macros clang-format moves texts to the right, further each time. */
/* clang-format off */
#define SHOWN \
	"stretch.name AS host, " PLAIN_UUID("host.device_id") " AS device_id, host.alias, " \
	SECONDS("host.bound_at") " AS bound_at, d.state AS device_state, " \
	SECONDS("bar.at") " AS barred_at, bar.reason AS barred_reason," \
	" bar.why AS barred_why, bar.by AS barred_by"
/* clang-format on */
#define FROM                                                                                       \
	"stretch LEFT JOIN LATERAL (SELECT * FROM host WHERE host.name = stretch.name LIMIT 1)"    \
	" AS host ON true"                                                                         \
	" LEFT JOIN LATERAL (SELECT * FROM host_barred WHERE host_barred.name = stretch.name"      \
	" LIMIT 1) AS bar ON true"                                                                 \
	" LEFT JOIN LATERAL (SELECT * FROM device WHERE device.device_id = host.device_id LIMIT "  \
	"1)"                                                                                       \
	" AS d ON true"                                                                            \
	" WHERE ($3::text IS NULL OR stretch.name LIKE $3::text ESCAPE '\\')"                      \
	" AND ($4::uuid IS NULL OR host.device_id = $4::uuid)"                                     \
	" AND (NOT $5::boolean OR bar.name IS NOT NULL)"

/* $6: after; $7, $8: the part of the index. */
#define PART(table, indexed)                                                                       \
	"(SELECT name::text FROM " table " WHERE " indexed " >= $7::text AND " indexed             \
	" < $8::text AND " indexed " > $6::text ORDER BY " indexed " LIMIT $1::bigint)"
#define FIND(indexed, own, sign)                                                                   \
	FOUND_LIST("SELECT name FROM (" PART("host", indexed) " UNION " PART("host_barred",        \
			   indexed) ") AS stretch ORDER BY " own " LIMIT $1::bigint",              \
		own " DESC", "'" sign "' || stretch.name", SHOWN, FROM, own)

static const struct statement find_named = {
	"hosts_named", FIND("name", "stretch.name COLLATE \"C\"", "h")};
static const struct statement find_backwards = {"hosts_backwards",
	FIND("reverse(name::text) COLLATE \"C\"", "reverse(stretch.name) COLLATE \"C\"", "r")};

/* Of one device, or barred ones: few enough to be put in order. */
static const struct statement find_few = {"hosts_few",
	FOUND_LIST("SELECT name FROM (SELECT name::text FROM host WHERE device_id = $4::uuid"
		   " UNION SELECT name::text FROM host_barred WHERE $5::boolean) AS stretch"
		   " WHERE name COLLATE \"C\" > $6::text"
		   " ORDER BY stretch.name COLLATE \"C\" LIMIT $1::bigint",
		"stretch.name COLLATE \"C\" DESC", "'h' || stretch.name", SHOWN, FROM,
		"stretch.name COLLATE \"C\"")};

const struct statement *const hosts_statements[] = {&find_named, &find_backwards, &find_few, NULL};

enum err hosts_find(struct db *db, const struct hosts_query *query, struct found *out)
{
	AUTO(buf_free) struct buf pattern = BUF(1024);
	bool is_few = query->device_id != NULL || query->is_barred;
	struct found_page page = {out, query->limit, FOUND_STRETCH};
	struct cursor cursor = {.name = ""};
	struct pipeline trip = {.n = 0};
	struct pattern_range range;

	*out = (struct found){0};
	pattern_range(query->host == NULL ? "*" : query->host, &range);
	if (range.is_whole && !is_few)
		page.stretch = (int64_t)query->limit;
	if (query->host != NULL)
		TRY(pattern_add(&pattern, query->host));
	TRY(cursor_read(
		query->after, range.is_reversed && !is_few ? CURSOR_TAIL : CURSOR_HOST, &cursor));
	if (range.is_reversed && !is_few)
		cursor_reverse(&cursor);
	const struct value values[] = {value_int(page.stretch), value_int((int64_t)query->limit),
		value_text(query->host == NULL ? NULL : buf_text(&pattern)),
		value_bytes((struct view){
			query->device_id, query->device_id == NULL ? 0 : DEVICE_ID_SIZE}),
		value_bool(query->is_barred), value_text(cursor.name), value_text(range.from),
		value_text(range.to)};
	if (is_few)
		step_add(&trip, &find_few, values, 6);
	else
		step_add(&trip, range.is_reversed ? &find_backwards : &find_named, values, 8);
	step_take(&trip, found_take_page, &page);
	return db_run(db, &trip, LOST_REPEAT_ONCE);
}
