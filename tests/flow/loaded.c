#include "tests/flow/loaded.h"

#include "tests/flow/cluster.h"
#include "tests/flow/process.h"

#include <stdlib.h>

/* One session for all of it: nobody checks references that hold by the way they are made. */
static const char fill[] =
	"SET session_replication_role = replica; SET maintenance_work_mem = '256MB';"
	/* An index is made of many rows sooner than it takes them one by one. */
	"CREATE TEMP TABLE index_made AS SELECT pg_get_indexdef(indexrelid) AS statement, "
	"indexrelid"
	" FROM pg_index WHERE indrelid IN ('certificate'::regclass, 'device'::regclass,"
	"  'host'::regclass, 'ak'::regclass) AND NOT EXISTS"
	"  (SELECT FROM pg_constraint WHERE conindid = indexrelid);"
	"DO $$DECLARE old record; BEGIN FOR old IN SELECT * FROM index_made LOOP"
	"  EXECUTE 'DROP INDEX ' || old.indexrelid::regclass; END LOOP; END$$;"
	"CREATE TEMP TABLE base AS SELECT certificate.*, extract(epoch FROM now())::bigint AS salt,"
	" position(serial IN der) AS serial_at, nextval('crl_place') AS drawn FROM certificate"
	" WHERE kind = 'x509' AND issuer IS NOT NULL ORDER BY issued_at DESC LIMIT 1;"
	"CREATE TEMP TABLE one AS SELECT i, md5('device' || i || salt)::uuid AS device_id,"
	" format('node-%%s.rack-%%s.site-%%s.example.org', i, i %% 997, i %% 13) AS host,"
	" '\\x000b'::bytea || sha256(('ak' || i || salt)::bytea) AS ak_name,"
	" now() - (i %% 300) * interval '1 day' AS at FROM base, generate_series(1, %1$zu) AS i;"
	"INSERT INTO device (device_id, created_at, manufacturer, model, version, trust_class,"
	" trust_source, trust_version, labels, last_success_at)"
	" SELECT one.device_id, at, (ARRAY['id:49465800', 'id:53544D20', 'id:4E544300'])[1 + i %% "
	"3],"
	" 'model-' || i %% 20, 'id:0001000' || i %% 10, 'manufacturer', 'bench', "
	"base.trust_version,"
	" jsonb_build_object('site', 's' || i %% 13, 'rack', 'r' || i %% 997), at FROM one, base;"
	"INSERT INTO ek (ek_digest, device_id, kind, created_at)"
	" SELECT sha256(('ek' || i || salt)::bytea), one.device_id, 'rsa2048', at FROM one, base;"
	"INSERT INTO host (name, device_id, alias, bound_at)"
	" SELECT host, device_id, false, at FROM one;"
	"INSERT INTO ak (name, device_id, public, kind, created_at)"
	" SELECT ak_name, device_id, '\\x0010ff', 'ecc-p256', at FROM one;"
	"INSERT INTO certificate (serial, device_id, host, binding, ak_name, template,"
	" template_version, grant_digest, place, der, not_before, not_after, issued_at, revoked_at,"
	" revocation_reason, trust_version, policy_version, kind, key_kind, key_sha256, issuer, "
	"shard)"
	" SELECT serial, device_id, host, binding, ak_name,"
	" (ARRAY['ak', 'tls-server', 'tls-client', 'platform-property'])[k], 1, digest, k - 1,"
	" overlay(base_der PLACING serial FROM serial_at), at, now() + (1 + i %% 300) * interval "
	"'1 day',"
	" at, CASE WHEN %3$zu > 0 AND n * %3$zu / %2$zu > (n - 1) * %3$zu / %2$zu THEN now() END,"
	" CASE WHEN %3$zu > 0 AND n * %3$zu / %2$zu > (n - 1) * %3$zu / %2$zu THEN 'keyCompromise' "
	"END,"
	" trust_version, policy_version, 'x509', CASE WHEN k = 1 THEN 'ak' ELSE 'certified' END,"
	" digest, issuer, first_shard + (first + n - first_place) / capacity"
	" FROM (SELECT one.i, k, n, one.device_id, one.host, host.binding, one.ak_name, one.at,"
	"  '\\x4f'::bytea || substr(digest, 2, 15) AS serial, digest, base.der AS base_der,"
	"  base.serial_at, base.drawn AS first, base.issuer, base.trust_version,"
	"  base.policy_version"
	"  FROM one JOIN host ON host.name = one.host CROSS JOIN base"
	"  CROSS JOIN generate_series(1, 4) AS k"
	"  CROSS JOIN LATERAL (SELECT ((one.i - 1) * 4 + k)::bigint AS n) AS numbered"
	"  CROSS JOIN LATERAL (SELECT sha256(('c' || n || base.salt)::bytea) AS digest) AS digested"
	"  WHERE n <= %2$zu) AS made,"
	" (SELECT * FROM crl_plan ORDER BY first_shard DESC LIMIT 1) AS plan;"
	"DO $$DECLARE old record; BEGIN FOR old IN SELECT * FROM index_made LOOP"
	"  EXECUTE old.statement; END LOOP; END$$;"
	"SELECT setval('crl_place', drawn + %2$zu) FROM base;"
	"INSERT INTO crl_shard (issuer, shard) SELECT DISTINCT issuer, shard FROM certificate"
	" WHERE shard IS NOT NULL ON CONFLICT (issuer, shard) DO UPDATE SET changed = "
	"crl_shard.changed + 1;"
	"ANALYZE";

void loaded_fill(const char *conninfo, size_t certificates, size_t revoked)
{
	size_t devices = (certificates + LOADED_EACH - 1) / LOADED_EACH;
	char *sql = text(fill, devices, certificates, revoked);

	must(revoked <= certificates, "%zu of %zu", revoked, certificates);
	free(sql_text(conninfo, "%s", sql));
	free(sql);
}
