#include "db/behind.h"

#include "db/connection.h"

#define SUMS                                                                                       \
	" SELECT count(*), count(*) FILTER (WHERE changed <> published),"                          \
	" coalesce(extract(epoch FROM min(this_update)"                                            \
	"  FILTER (WHERE changed <> published))::bigint, 0),"                                      \
	" coalesce(extract(epoch FROM max(next_update))::bigint, 0)"

static const struct statement sum_all = {"sum_all", SUMS " FROM crl_shard"};

static const struct statement sum_some = {"sum_some",
	"WITH concerned AS (SELECT issuer, shard FROM certificate"
	"  WHERE device_id = $1::uuid AND not_after > to_timestamp($4::bigint)"
	" UNION SELECT issuer, shard FROM certificate"
	"  WHERE host = $2::text AND not_after > to_timestamp($4::bigint)"
	" UNION SELECT issuer, shard FROM certificate"
	"  WHERE serial = $3::bytea)" SUMS " FROM concerned"
	" CROSS JOIN LATERAL (SELECT * FROM crl_shard WHERE crl_shard.issuer = concerned.issuer"
	"  AND crl_shard.shard = concerned.shard LIMIT 1) AS crl"};

static const struct statement look_at_krl = {"look_at_krl",
	"SELECT changed <> published,"
	" coalesce(extract(epoch FROM this_update)::bigint, 0) FROM krl"};

const struct statement *const behind_statements[] = {&sum_all, &sum_some, &look_at_krl, NULL};

static enum err take_sums(const PGresult *rows, void *into)
{
	struct behind *out = into;

	out->crls = row_int(rows, 0, 0);
	out->crls_behind = row_int(rows, 0, 1);
	out->crls_oldest = row_int(rows, 0, 2);
	out->crls_until = row_int(rows, 0, 3);
	return OK;
}

static enum err take_krl(const PGresult *rows, void *into)
{
	struct behind *out = into;

	out->krl_behind = row_bool(rows, 0, 0);
	out->krl_at = row_int(rows, 0, 1);
	return OK;
}

enum err behind_read(struct db *db, const struct device_key *key, int64_t now, struct behind *out)
{
	struct pipeline trip = {.n = 0};

	*out = (struct behind){.crls = 0};
	if (key->device_id.n + key->serial.n == 0 && key->host == NULL)
		step_add(&trip, &sum_all, NULL, 0);
	else
		STEP(&trip, &sum_some, value_bytes(key->device_id), value_text(key->host),
			value_bytes(key->serial), value_int(now));
	step_take(&trip, take_sums, out);
	step_add(&trip, &look_at_krl, NULL, 0);
	step_take(&trip, take_krl, out);
	return db_run(db, &trip, LOST_REPEAT_ONCE);
}
