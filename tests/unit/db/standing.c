#include "standing.h"

#include "database.h"

#include <string.h>

const struct act standing_admin = {.who = "admin-token",
	.from = "2001:db8::7",
	.reason = "stolen from line 4",
	.request_id = "r-9",
	.now = NOW + 10};

const uint8_t standing_issuer[DIGEST_SIZE] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
	7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7};

int standing_none(void **state)
{
	(void)state;
	database_do("ALTER TABLE audit DISABLE TRIGGER audit_append_only;"
		    "TRUNCATE device, device_label, pending, pending_ticket, ek_allowed, "
		    "host_barred, issuer,"
		    " crl_shard, audit CASCADE;"
		    "ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_append_only;"
		    "INSERT INTO issuer (issuer_id, kind, certificate, first_at) VALUES"
		    " (decode(repeat('07', 32), 'hex'), 'x509', '\\x30', now()),"
		    " (decode(repeat('08', 32), 'hex'), 'ssh-host', '\\x30', now())");
	return 0;
}

struct attempt standing_device(struct db *db, unsigned tpm, const char *host)
{
	struct attempt a = attempt_of(db, tpm, host);

	a.certificates_n = 3;
	attempt_enroll(&a);
	database_do("UPDATE certificate"
		    " SET issuer = decode(repeat(CASE place WHEN 1 THEN '08' ELSE '07' END, 32),"
		    "  'hex'),"
		    " shard = CASE place WHEN 1 THEN NULL ELSE place / 2 END,"
		    " kind = CASE place WHEN 1 THEN 'ssh-host' ELSE 'x509' END"
		    " WHERE issuer IS NULL;"
		    "UPDATE crl_shard SET published = changed, number = 1, der = '\\x30',"
		    " this_update = to_timestamp(1800000000),"
		    " next_update = to_timestamp(1800000000 + 3600 * (1 + shard));"
		    "UPDATE krl SET published = changed");
	return a;
}

int64_t standing_certificates(void)
{
	return database_count("SELECT count(*) FROM certificate WHERE revoked_at IS NULL");
}

int64_t standing_behind(void)
{
	return database_count("SELECT (SELECT count(*) FROM crl_shard WHERE changed <> published)"
			      " + (SELECT count(*) FROM krl WHERE changed <> published)");
}
