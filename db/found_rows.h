/* found_rows.h - how what was found is taken from a result. Not for other folders. */
#pragma once

#include "db/found.h"
#include "db/query.h"

/* One page of a list, in the making. */
struct found_page {
	struct found *found;
	size_t limit; /* rows asked for */
	int64_t stretch; /* rows that were looked at, at most */
};

/*
 * For step_take() of a list, into a struct found_page: columns "_looked" (rows that were looked at),
 * "_last" (the cursor of the last of them) and "_key" (the row's own, NULL in the one row of an empty page),
 * then those that are shown. int8 is a number, bool a flag, json a JSON value, all else text.
 */
CHECKED enum err found_take_page(const PGresult *rows, void *into);
/* The same without the three, into a struct found. */
CHECKED enum err found_take(const PGresult *rows, void *into);

/*
 * A statement of a list. `stretch` gives keys in the order of an index, at most so many; `from` those that
 * pass, in the same order, `ordered`, and `key` is the cursor of one. $1: rows to look at, $2: rows wanted.
 *
 */
#define FOUND_LIST(stretch, reversed, key, shown, from, ordered)                                   \
	"WITH stretch AS NOT MATERIALIZED (" stretch "),"                                          \
	" ends AS (SELECT count(*) AS n, (SELECT " key                                             \
	" FROM (SELECT * FROM stretch ORDER BY " reversed                                          \
	" LIMIT 1) AS stretch) AS last FROM stretch)"                                              \
	" SELECT ends.n AS _looked, ends.last AS _last, page.* FROM ends"                          \
	" LEFT JOIN LATERAL (SELECT " key " AS _key, " shown " FROM " from " ORDER BY " ordered    \
	" LIMIT $2::bigint) AS page ON true"

/* Seconds of a moment, and a moment of microseconds since 1970. */
#define SECONDS(moment) "extract(epoch FROM " moment ")::bigint"
#define MICROS(moment) "(extract(epoch FROM " moment ") * 1000000)::bigint"
#define MOMENT(micros) "(timestamptz 'epoch' + " micros "::bigint * interval '1 microsecond')"
#define PLAIN_UUID(uuid) "replace(" uuid "::text, '-', '')"
