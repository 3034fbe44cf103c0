#include "tests/flow/loaded.h"

#include "tests/flow/process.h"

#include <libpq-fe.h>
#include <stdio.h>

/*
 * One session for all of it, and nobody checks what holds by the way it is made: a name judged by its
 * regular expression costs more than its row, and an index is made of many rows sooner than it takes
 * them one by one. `statement` makes anew what was there, by the catalogs' own words.
 */
static const char take_down[] =
	"SET session_replication_role = replica; SET synchronous_commit = off;"
	"SET maintenance_work_mem = '768MB'; SET work_mem = '64MB'; SET client_min_messages = "
	"error;"
	"CREATE TEMP TABLE loaded_table AS SELECT unnest('{device,ek,host,ak,certificate,audit,"
	"device_label}'::regclass[]) AS id;"
	"CREATE TEMP TABLE taken_down AS"
	" SELECT conname AS name, contype::text AS kind,"
	"  CASE WHEN contypid <> 0 THEN 'DOMAIN ' || contypid::regtype"
	"   ELSE 'TABLE ' || conrelid::regclass END AS owner,"
	"  format('ALTER %s ADD CONSTRAINT %I %s%s',"
	"   CASE WHEN contypid <> 0 THEN 'DOMAIN ' || contypid::regtype"
	"    ELSE 'TABLE ' || conrelid::regclass END, conname, pg_get_constraintdef(oid),"
	"   CASE WHEN contype IN ('c', 'f') THEN ' NOT VALID' ELSE '' END) AS statement"
	" FROM pg_constraint WHERE contype IN ('p', 'u', 'f', 'c') AND connamespace = "
	"'public'::regnamespace AND (contypid <> 0 OR conrelid IN (SELECT id FROM loaded_table)"
	"  OR confrelid IN (SELECT id FROM loaded_table))"
	" UNION ALL SELECT indexrelid::regclass::text, 'i', NULL, pg_get_indexdef(indexrelid)"
	" FROM pg_index WHERE indrelid IN (SELECT id FROM loaded_table)"
	"  AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid);"
	"DO $$DECLARE old record; BEGIN"
	" FOR old IN SELECT * FROM taken_down ORDER BY kind <> 'f' LOOP"
	"  IF old.kind = 'i' THEN EXECUTE 'DROP INDEX ' || old.name;"
	"  ELSE EXECUTE format('ALTER %s DROP CONSTRAINT %I', old.owner, old.name); END IF;"
	" END LOOP; END$$";

/* What all others are like. */
static const char find_base[] =
	"CREATE TEMP TABLE base AS SELECT certificate.*, extract(epoch FROM now())::bigint AS salt,"
	"  position(serial IN der) AS serial_at, nextval('crl_place') AS drawn,"
	"  now() - interval '300 days' AS since,"
	"  ceil(current_setting('load.certificates')::float / "
	"current_setting('load.devices')::float)"
	"   AS each FROM certificate"
	" WHERE kind = 'x509' AND issuer IS NOT NULL ORDER BY issued_at DESC LIMIT 1;"
	"CREATE TEMP TABLE base_ek AS SELECT ek.* FROM ek JOIN base USING (device_id)"
	" ORDER BY created_at DESC LIMIT 1;"
	"CREATE TEMP TABLE base_ak AS SELECT ak.* FROM ak JOIN base ON ak.name = base.ak_name;"
	"CREATE TEMP TABLE base_audit AS SELECT audit.* FROM audit"
	" JOIN base ON base.serial = ANY (serials) LIMIT 1;"
	"CREATE TEMP TABLE plan AS SELECT * FROM crl_plan ORDER BY first_shard DESC LIMIT 1";

static const char name_devices[] =
	"CREATE TEMP TABLE one AS SELECT i, md5('device' || i || salt)::uuid AS device_id,"
	" format('node-%s.rack-%s.site-%s.example.org', i, i % 997, i % 13) AS host,"
	" substr(base.ak_name, 1, 2) || sha256(('ak' || i || salt)::bytea) AS ak_name,"
	" sha256(('ek' || i || salt)::bytea) AS ek_digest, nextval('host_binding_seq') AS binding,"
	" since + i::float / current_setting('load.devices')::bigint * (now() - since) / each AS at"
	" FROM base, generate_series(1, current_setting('load.devices')::bigint) AS i;"
	"ANALYZE one";

static const char add_devices[] =
	"INSERT INTO device (device_id, created_at, manufacturer, model, version, trust_class,"
	"  trust_source, trust_version, labels, last_success_at, revision)"
	" SELECT one.device_id, at,"
	"  (ARRAY['id:49465800', 'id:53544D20', 'id:4E544300'])[1 + i % 3],"
	"  'model-' || i % 20, 'id:0001000' || i % 10, 'manufacturer', 'bench',"
	"  base.trust_version, jsonb_build_object('site', 's' || i % 13, 'rack', 'r' || i % 997),"
	"  at, each FROM one, base;"
	"INSERT INTO device_label (name, value, created_at, device_id)"
	" SELECT word, CASE word WHEN 'site' THEN 's' || i % 13 ELSE 'r' || i % 997 END, at, "
	"device_id"
	" FROM one, unnest('{site,rack}'::text[]) AS word;"
	"INSERT INTO host (name, device_id, alias, bound_at, binding) OVERRIDING SYSTEM VALUE"
	" SELECT host, device_id, false, at, binding FROM one";

/* A digest in the middle, so that none has another's bytes; and certificates as long as real ones are. */
static const char add_keys[] =
	"INSERT INTO ek (ek_digest, device_id, kind, certificate, created_at, public, chain)"
	" SELECT one.ek_digest, one.device_id, base_ek.kind,"
	"  overlay(base_ek.certificate PLACING one.ek_digest FROM 200)"
	"   || decode(repeat(encode(one.ek_digest, 'hex'), greatest(0, 1200"
	"    - octet_length(base_ek.certificate)) / 32), 'hex'), at,"
	"  overlay(base_ek.public PLACING one.ek_digest FROM 60), base_ek.chain FROM one, base_ek;"
	"INSERT INTO ak (name, device_id, public, kind, created_at, ek_digest, proven_at)"
	" SELECT ak_name, one.device_id, overlay(base_ak.public PLACING one.ek_digest FROM 30),"
	"  base_ak.kind, at, one.ek_digest, at FROM one, base_ak";

/* Those of one turn. */
static const char add_certificates[] =
	"INSERT INTO certificate (serial, device_id, host, binding, ak_name, template,"
	"  template_version, grant_digest, place, der, not_before, not_after, issued_at, "
	"revoked_at,"
	"  revocation_reason, trust_version, policy_version, kind, key_kind, key_sha256, issuer, "
	"shard)"
	" SELECT '\\x4f'::bytea || substr(digest, 2, 15), device_id, host, binding, ak_name,"
	"  (ARRAY['ak', 'tls-server', 'tls-client', 'platform-property'])[1 + (k - 1) % 4], 1,"
	"  digest, (k - 1) % 4, overlay(overlay(der PLACING digest FROM 300)"
	"   PLACING '\\x4f'::bytea || substr(digest, 2, 15) FROM serial_at),"
	"  at, now() + (1 + n % 300) * interval '1 day', at,"
	"  CASE WHEN is_revoked THEN now() END, CASE WHEN is_revoked THEN 'keyCompromise' END,"
	"  trust_version, policy_version, 'x509', CASE WHEN k = 1 THEN 'ak' ELSE 'certified' END,"
	"  digest, issuer, first_shard + (drawn + n - first_place) / capacity"
	" FROM (SELECT numbered.*, sha256(('c' || n || salt)::bytea) AS digest,"
	"   n * total.revoked / total.certificates > (n - 1) * total.revoked / total.certificates"
	"    AS is_revoked, one.device_id, one.host, one.binding, one.ak_name,"
	"   one.at + (k - 1) * (now() - since) / each AS at, der, serial_at, drawn,"
	"   base.trust_version, base.policy_version, base.issuer"
	"  FROM base, one,"
	"   (SELECT current_setting('load.revoked')::bigint AS revoked,"
	"     current_setting('load.certificates')::bigint AS certificates) AS total,"
	"   LATERAL (SELECT current_setting('load.turn')::bigint AS k,"
	"    current_setting('load.before')::bigint + one.i AS n) AS numbered"
	"  WHERE n <= total.certificates) AS made, plan;"
	"INSERT INTO audit (at, event, device_id, ek_digest, host, serials, client_address,"
	"  request_id, trust_version, policy_version)"
	" SELECT one.at + (k - 1) * (now() - since) / each,"
	"  CASE WHEN k = 1 THEN base_audit.event ELSE 'renew.issued' END, one.device_id, "
	"one.ek_digest,"
	"  one.host, ARRAY['\\x4f'::bytea || substr(sha256(('c' || n || salt)::bytea), 2, 15)],"
	"  format('10.%s.%s.%s', n / 65536 % 256, n / 256 % 256, n % 256),"
	"  left(md5(n::text), length(request_id)), base.trust_version, base.policy_version"
	" FROM base, base_audit, one,"
	"  LATERAL (SELECT current_setting('load.turn')::bigint AS k,"
	"   current_setting('load.before')::bigint + one.i AS n) AS numbered"
	" WHERE n <= current_setting('load.certificates')::bigint";

static const char add_shards[] =
	"SELECT setval('crl_place', drawn + current_setting('load.certificates')::bigint) FROM "
	"base;"
	"INSERT INTO crl_shard (issuer, shard) SELECT DISTINCT issuer, shard FROM certificate"
	" WHERE shard IS NOT NULL ON CONFLICT (issuer, shard) DO UPDATE SET changed = "
	"crl_shard.changed + 1";

/* The next of those that are to be made anew; "" when all are there. */
static const char put_up_next[] =
	"WITH next AS (DELETE FROM taken_down WHERE statement = (SELECT statement FROM taken_down"
	"  ORDER BY array_position('{p,u,i,c,f}', kind), name LIMIT 1) RETURNING statement)"
	" SELECT statement FROM next";

static const char settle[] = "UPDATE pg_constraint SET convalidated = true WHERE NOT convalidated";

static void run(PGconn *connection, const char *sql)
{
	PGresult *result = PQexec(connection, sql);
	ExecStatusType status = PQresultStatus(result);

	must(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK, "%s: %s", sql,
		PQerrorMessage(connection));
	PQclear(result);
}

/* With what it is called, for those who wait. */
static void step(PGconn *connection, const struct load *load, int64_t begin, const char *what,
	const char *sql)
{
	run(connection, sql);
	if (load->is_told) {
		printf("%7.1f s  %s\n", (double)(now_ms() - begin) / 1000, what);
		fflush(stdout);
	}
}

static void set(PGconn *connection, const char *name, size_t value)
{
	AUTO(mem_free) char *sql = text("SET load.%s = '%zu'", name, value);

	run(connection, sql);
}

static void add_turns(PGconn *connection, const struct load *load, int64_t begin)
{
	for (size_t turn = 1, n = 0; n < load->certificates; turn++, n += load->devices) {
		AUTO(mem_free) char *what = text("certificates and audit, turn %zu", turn);

		set(connection, "turn", turn);
		set(connection, "before", n);
		step(connection, load, begin, what, add_certificates);
	}
}

static void put_up(PGconn *connection, const struct load *load, int64_t begin)
{
	for (;;) {
		PGresult *next = PQexec(connection, put_up_next);
		bool is_one = PQntuples(next) == 1;

		must(PQresultStatus(next) == PGRES_TUPLES_OK, "%s", PQerrorMessage(connection));
		if (is_one)
			step(connection, load, begin, PQgetvalue(next, 0, 0),
				PQgetvalue(next, 0, 0));
		PQclear(next);
		if (!is_one)
			break;
	}
	run(connection, settle);
}

void loaded_fill(const char *conninfo, const struct load *load)
{
	PGconn *connection = PQconnectdb(conninfo);
	int64_t begin = now_ms();

	must(load->revoked <= load->certificates && load->devices > 0, "%zu of %zu, of %zu",
		load->revoked, load->certificates, load->devices);
	set(connection, "devices", load->devices);
	set(connection, "certificates", load->certificates);
	set(connection, "revoked", load->revoked);
	step(connection, load, begin, "indices and constraints taken down", take_down);
	step(connection, load, begin, "what all are like", find_base);
	step(connection, load, begin, "names of devices", name_devices);
	step(connection, load, begin, "devices, labels, hosts", add_devices);
	step(connection, load, begin, "EKs and AKs", add_keys);
	add_turns(connection, load, begin);
	step(connection, load, begin, "shards", add_shards);
	put_up(connection, load, begin);
	step(connection, load, begin, "VACUUM ANALYZE", "VACUUM (FREEZE, ANALYZE)");
	PQfinish(connection);
}
