#include "db/statistics.h"

#include "db/connection.h"
#include "db/found_rows.h"

/* So many rows at most are touched for a number. */
#define COUNTED(from) "(SELECT count(*) FROM (SELECT FROM " from " LIMIT $1::bigint + 1) AS few)"
/* Exact while there are few, then what ANALYZE has found; -1: it has not looked yet. */
#define ALL(what, table)                                                                           \
	"SELECT '" what "' AS what, NULL::text AS name,"                                           \
	" CASE WHEN n <= $1::bigint THEN n ELSE greatest(n, estimate) END AS n,"                   \
	" n > $1::bigint AS about FROM (SELECT " COUNTED(                                          \
		table) " AS n, (SELECT reltuples::bigint"                                          \
		       "  FROM pg_class WHERE oid = '" table                                       \
		       "'::regclass) AS estimate) AS counted"
#define SOME(what, from)                                                                           \
	"SELECT '" what "', NULL, least(n, $1::bigint), n > $1::bigint FROM (SELECT " COUNTED(     \
		from) " AS n) AS counted"
#define SINCE(ago) "to_timestamp($2::bigint - " ago ")"

/* Each maker by one look at the index behind the one before. */
#define MAKERS                                                                                     \
	"SELECT 'devices.manufacturer', maker, least(n, $1::bigint), n > $1::bigint"               \
	" FROM (SELECT maker, " COUNTED(                                                           \
		"device WHERE manufacturer = maker") " AS n FROM makers"                           \
						     " WHERE maker IS NOT NULL) AS counted"

#define ALSO " UNION ALL "

/* Beside macros clang-format moves texts to the right, further each time. */
/* clang-format off */
static const struct statement read_statistics = {"statistics",
	"WITH RECURSIVE makers AS ("
	" (SELECT manufacturer AS maker, 1 AS place FROM device ORDER BY manufacturer LIMIT 1)"
	" UNION ALL SELECT (SELECT manufacturer FROM device WHERE manufacturer > maker"
	"  ORDER BY manufacturer LIMIT 1), place + 1 FROM makers"
	" WHERE maker IS NOT NULL AND place < 100) "
	ALL("devices", "device")
	ALSO SOME("devices.held", "device WHERE state <> 'active' AND state = 'held'")
	ALSO SOME("devices.revoked", "device WHERE state <> 'active' AND state = 'revoked'")
	ALSO SOME("devices.new_in_day", "device WHERE created_at >= " SINCE("86400"))
	ALSO MAKERS
	ALSO ALL("hosts", "host")
	ALSO SOME("hosts.barred", "host_barred")
	ALSO ALL("certificates", "certificate")
	ALSO SOME("certificates.revoked", "certificate WHERE revoked_at IS NOT NULL"
		" AND revocation_reason IS NOT NULL")
	ALSO SOME("certificates.issued_in_day", "certificate WHERE issued_at >= " SINCE("86400"))
	ALSO SOME("certificates.issued_in_week", "certificate WHERE issued_at >= " SINCE("604800"))
	ALSO SOME("attempts.held", "pending WHERE first_at > '-infinity' AND state = 'held'")
	ALSO ALL("allowed", "ek_allowed")
	ALSO ALL("audit", "audit")};
/* clang-format on */

const struct statement *const statistics_statements[] = {&read_statistics, NULL};

enum err statistics_read(struct db *db, int64_t now, struct found *out)
{
	struct pipeline trip = {.n = 0};

	*out = (struct found){0};
	STEP(&trip, &read_statistics, value_int(STATISTICS_COUNTED), value_int(now));
	step_take(&trip, found_take, out);
	return db_run(db, &trip, LOST_REPEAT_ONCE);
}
