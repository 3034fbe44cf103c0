#include "db/shard.h"

#include "db/lock.h"

/*
 * Between this statement and its commit others go on drawing by the plan that they see, past the
 * place where the new one begins. So the shards of the new one begin so much later that the old one's
 * never reach them: 1,024 shards are far more than all connections of all servers draw in that time.
 */
static const struct statement begin_plan = {NULL,
	"WITH newest AS (SELECT * FROM crl_plan ORDER BY first_shard DESC LIMIT 1),"
	" begin AS MATERIALIZED (SELECT nextval('crl_place') + 1 AS place WHERE NOT EXISTS"
	"  (SELECT FROM newest WHERE capacity = $1::bigint AND base = $2::text))"
	" INSERT INTO crl_plan (first_shard, first_place, capacity, base)"
	" SELECT coalesce((SELECT first_shard + (begin.place - first_place) / capacity + 1024"
	"  FROM newest), 0), begin.place, $1::bigint, $2::text FROM begin"};

enum err shard_plan(struct db *db, int64_t capacity, const char *base)
{
	struct pipeline act = {.n = 0};

	lock_add_plan(&act);
	STEP(&act, &begin_plan, value_int(capacity), value_text(base));
	return db_run(db, &act, LOST_REPEAT_ONCE);
}
