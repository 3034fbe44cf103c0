/* search.c - how long admins wait for a page among N devices: with-postgres bench-search [N [DEPTH]] */
#include "ca/base/crypt.h"
#include "ca/base/encode.h"
#include "db/audit_read.h"
#include "db/certificates.h"
#include "db/devices.h"
#include "db/hosts.h"
#include "db/statistics.h"
#include "tests/bench/timing.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 2000
#define NEVER INT64_C(253402300799)

static struct db *db;
static long devices = 1000000;

/*
 * A fleet: of ten makers one in 16 ranks before the last, which has 100 devices; one device in 1000 is not
 * active; racks of 40, sites of N/10; four certificates for each name, one in ten revoked.
 */
static const char fleet[] =
	"SET session_replication_role = replica; SET synchronous_commit = off;"
	"SET maintenance_work_mem = '512MB';"
	"CREATE FUNCTION id_of(i bigint) RETURNS uuid IMMUTABLE LANGUAGE sql"
	" AS $$SELECT md5('device ' || i)::uuid$$;"
	"CREATE FUNCTION name_of(i bigint) RETURNS text IMMUTABLE LANGUAGE sql"
	" AS $$SELECT 'web-' || i || '.s' || i % 10 || '.example.org'$$;"
	"CREATE FUNCTION time_of(i bigint) RETURNS timestamptz IMMUTABLE LANGUAGE sql"
	" AS $$SELECT to_timestamp(1700000000 + i)$$;"
	"INSERT INTO device (device_id, created_at, manufacturer, model, trust_class, "
	"trust_version,"
	"  state, labels)"
	" SELECT id_of(i), time_of(i), CASE WHEN i % greatest(N / 100, 1) = 7 THEN 'id:52415245'"
	"  ELSE 'id:' || lpad(to_hex(i % 10), 8, '4') END, 'TPM 2.0', 'manufacturer', 'ab',"
	"  CASE i % 2000 WHEN 0 THEN 'held' WHEN 1000 THEN 'revoked' ELSE 'active' END,"
	"  jsonb_build_object('rack', 'r' || i / 40, 'site', 's' || i % 10)"
	" FROM generate_series(1, N) AS i;"
	"INSERT INTO device_label SELECT key, value, created_at, device_id"
	" FROM device, jsonb_each_text(labels);"
	"INSERT INTO ek (ek_digest, device_id, kind, created_at)"
	" SELECT sha256(('ek ' || i)::bytea), id_of(i), 'rsa2048', time_of(i)"
	" FROM generate_series(1, N) AS i;"
	"INSERT INTO host (name, device_id, alias, bound_at)"
	" SELECT name_of(i), id_of(i), false, time_of(i) FROM generate_series(1, N) AS i;"
	"INSERT INTO ek_allowed (ek_digest, serial, source, added_at, added_by, why)"
	" SELECT sha256(('ek ' || i)::bytea), 'SN' || i, 'bench', time_of(i), 'bench', 'bench'"
	" FROM generate_series(1, N, 10) AS i;"
	"INSERT INTO certificate (serial, device_id, host, binding, ak_name, template,"
	"  template_version, grant_digest, place, der, not_before, not_after, issued_at, "
	"revoked_at,"
	"  revocation_reason, trust_version, policy_version, issuer, shard)"
	" SELECT substr(sha256(('serial ' || i)::bytea), 1, 16), id_of(i % N + 1), name_of(i % N + "
	"1), i,"
	"  '\\x000b' || sha256(('ak ' || i % N + 1)::bytea), 'ak', 1, sha256('grant'), 0,"
	"  convert_to(repeat(md5(i::text), 8), 'UTF8'), time_of(i), time_of(i + 31536000), "
	"time_of(i),"
	"  CASE WHEN i % 10 = 0 THEN time_of(i + 60) END,"
	"  CASE WHEN i % 10 = 0 THEN 'superseded' END, 'ab', 'cd', sha256('issuer'), i / 1000"
	" FROM generate_series(1, 2 * N) AS i;"
	"INSERT INTO audit (at, event, device_id, host, serials, who, request_id)"
	" SELECT time_of(i), CASE WHEN i % 10 = 3 THEN 'enroll.refused' ELSE 'enroll.issued' END,"
	"  id_of(i % N + 1), name_of(i % N + 1), ARRAY[substr(sha256(('serial ' || i)::bytea), 1, "
	"16)],"
	"  CASE WHEN i % 10000 = 1 THEN 'alice' END, 'r-' || i"
	" FROM generate_series(1, 2 * N) AS i;"
	"SET session_replication_role = origin;";

static void run(const char *sql)
{
	PGconn *connection = PQconnectdb(getenv("ENDORSE_TEST_DB"));
	PGresult *result = PQexec(connection, sql);

	if (PQresultStatus(result) != PGRES_COMMAND_OK) {
		fprintf(stderr, "bench-search: %s", PQerrorMessage(connection));
		exit(EXIT_FAILURE);
	}
	PQclear(result);
	PQfinish(connection);
}

static void load(void)
{
	AUTO(buf_free) struct buf sql = BUF(1 << 16);

	for (const char *at = fleet; *at != '\0'; at++)
		if (*at == 'N' && strchr(" (", at[-1]) != NULL && strchr(" ),", at[1]) != NULL)
			buf_fmt(&sql, "%ld", devices);
		else
			buf_u8(&sql, (uint8_t)*at);
	run(buf_text(&sql));
	run("VACUUM ANALYZE");
}

/* A question that is asked again and again, each time about something else. */
struct question {
	const char *name;
	enum err (*ask)(long i, const char *after, struct found *out);
	bool pages; /* goes on from page to page */
};

static struct devices_query of_devices(const char *after)
{
	return (struct devices_query){.until = NEVER, .after = after, .limit = 50};
}

static enum err newest(long i, const char *after, struct found *out)
{
	struct devices_query query = of_devices(after);

	(void)i;
	return devices_find(db, &query, out);
}

static enum err deep(long i, const char *after, struct found *out)
{
	struct devices_query query = of_devices(after);

	query.until = 1700000000 + i % devices;
	return devices_find(db, &query, out);
}

static enum err exact(long i, const char *after, struct found *out)
{
	struct devices_query query = of_devices(after);
	char name[64];

	snprintf(name, sizeof(name), "web-%ld.s%ld.example.org", i, i % 10);
	query.host = name;
	return devices_find(db, &query, out);
}

static enum err prefix(long i, const char *after, struct found *out)
{
	struct devices_query query = of_devices(after);
	char name[64];

	snprintf(name, sizeof(name), "web-%ld*", i % 1000 + 1);
	query.host = name;
	return devices_find(db, &query, out);
}

static enum err suffix(long i, const char *after, struct found *out)
{
	struct devices_query query = of_devices(after);
	char name[64];

	snprintf(name, sizeof(name), "*%ld.s%ld.example.org", i % 1000, i % 10);
	query.host = name;
	return devices_find(db, &query, out);
}

static enum err middle(long i, const char *after, struct found *out)
{
	struct devices_query query = of_devices(after);

	(void)i;
	query.host = "*-99999*";
	return devices_find(db, &query, out);
}

static enum err label_many(long i, const char *after, struct found *out)
{
	struct devices_query query = of_devices(after);

	(void)i;
	query.label_name = "site";
	query.label_text = "s7";
	return devices_find(db, &query, out);
}

static enum err label_few(long i, const char *after, struct found *out)
{
	struct devices_query query = of_devices(after);
	char rack[32];

	snprintf(rack, sizeof(rack), "r%ld", i / 40);
	query.label_name = "rack";
	query.label_text = rack;
	return devices_find(db, &query, out);
}

static enum err rare_maker(long i, const char *after, struct found *out)
{
	struct devices_query query = of_devices(after);

	(void)i;
	query.manufacturer = "id:52415245";
	return devices_find(db, &query, out);
}

static enum err held(long i, const char *after, struct found *out)
{
	struct devices_query query = of_devices(after);

	(void)i;
	query.state = "held";
	return devices_find(db, &query, out);
}

static enum err by_ek(long i, const char *after, struct found *out)
{
	struct devices_query query = of_devices(after);
	char text[32];
	uint8_t digest[32];

	snprintf(text, sizeof(text), "ek %ld", i);
	TRY(sha256(&(struct view){(uint8_t *)text, strlen(text)}, 1, digest));
	query.ek_digest = digest;
	return devices_find(db, &query, out);
}

static enum err by_serial(long i, const char *after, struct found *out)
{
	struct devices_query query = of_devices(after);
	char text[32];
	uint8_t digest[32];

	snprintf(text, sizeof(text), "serial %ld", i);
	TRY(sha256(&(struct view){(uint8_t *)text, strlen(text)}, 1, digest));
	query.serial = digest;
	query.serial_n = 16;
	return devices_find(db, &query, out);
}

static enum err by_machine(long i, const char *after, struct found *out)
{
	struct devices_query query = of_devices(after);
	char text[32];

	snprintf(text, sizeof(text), "SN%ld", i / 10 * 10 + 1);
	query.machine = text;
	return devices_find(db, &query, out);
}

static enum err hosts(long i, const char *after, struct found *out)
{
	struct hosts_query query = {.after = after, .limit = 50};

	(void)i;
	return hosts_find(db, &query, out);
}

static enum err hosts_suffix(long i, const char *after, struct found *out)
{
	struct hosts_query query = {.host = "*.s3.example.org", .after = after, .limit = 50};

	(void)i;
	return hosts_find(db, &query, out);
}

static struct certificates_query of_certificates(const char *after)
{
	return (struct certificates_query){
		.until = NEVER, .shard = -1, .after = after, .limit = 50};
}

static enum err certificates(long i, const char *after, struct found *out)
{
	struct certificates_query query = of_certificates(after);

	(void)i;
	return certificates_find(db, &query, out);
}

static enum err revoked(long i, const char *after, struct found *out)
{
	struct certificates_query query = of_certificates(after);

	(void)i;
	query.state = CERTIFICATE_REVOKED;
	return certificates_find(db, &query, out);
}

static enum err of_host(long i, const char *after, struct found *out)
{
	struct certificates_query query = of_certificates(after);
	char name[64];

	snprintf(name, sizeof(name), "web-%ld.s%ld.example.org", i, i % 10);
	query.host = name;
	return certificates_find(db, &query, out);
}

static enum err of_hosts(long i, const char *after, struct found *out)
{
	struct certificates_query query = of_certificates(after);
	char name[64];

	snprintf(name, sizeof(name), "web-%ld*", i % 1000 + 1);
	query.host = name;
	return certificates_find(db, &query, out);
}

static enum err first_device(uint8_t id[static DEVICE_ID_SIZE], long i)
{
	AUTO(found_free) struct found found = {0};

	TRY(exact(i, NULL, &found));
	return hex_read(view_str(found_cell(&found, 0, 0)->text), id, DEVICE_ID_SIZE);
}

static enum err of_device(long i, const char *after, struct found *out)
{
	static uint8_t id[DEVICE_ID_SIZE];
	struct certificates_query query = of_certificates(after);

	if (id[0] == 0)
		TRY(first_device(id, i));
	query.device_id = id;
	return certificates_find(db, &query, out);
}

static enum err show(long i, const char *after, struct found *out)
{
	static uint8_t id[DEVICE_ID_SIZE];

	(void)after;
	if (id[0] == 0)
		TRY(first_device(id, i));
	return device_show(db, id, out);
}

static struct audit_query of_audit(const char *after)
{
	return (struct audit_query){.until = NEVER, .after = after, .limit = 50};
}

static enum err audit(long i, const char *after, struct found *out)
{
	struct audit_query query = of_audit(after);

	(void)i;
	return audit_find(db, &query, out);
}

static enum err audit_then(long i, const char *after, struct found *out)
{
	struct audit_query query = of_audit(after);

	query.since = 1700000000 + i % devices;
	query.until = query.since + 3600;
	return audit_find(db, &query, out);
}

static enum err audit_host(long i, const char *after, struct found *out)
{
	struct audit_query query = of_audit(after);
	char name[64];

	snprintf(name, sizeof(name), "web-%ld.s%ld.example.org", i, i % 10);
	query.host = name;
	return audit_find(db, &query, out);
}

static enum err audit_acts(long i, const char *after, struct found *out)
{
	struct audit_query query = of_audit(after);

	(void)i;
	query.is_act = true;
	return audit_find(db, &query, out);
}

static enum err audit_serial(long i, const char *after, struct found *out)
{
	struct audit_query query = of_audit(after);
	char text[32];
	uint8_t digest[32];

	snprintf(text, sizeof(text), "serial %ld", i);
	TRY(sha256(&(struct view){(uint8_t *)text, strlen(text)}, 1, digest));
	query.serial = digest;
	query.serial_n = 16;
	return audit_find(db, &query, out);
}

static enum err statistics(long i, const char *after, struct found *out)
{
	(void)i;
	(void)after;
	return statistics_read(db, 1700000000 + devices, out);
}

static const struct question questions[] = {
	{"devices, page after page", newest, true},
	{"devices before a time", deep, false},
	{"devices, name exact", exact, false},
	{"devices, web-12*", prefix, false},
	{"devices, *7.s3.example.org", suffix, false},
	{"devices, *-99999* (5000 looked at)", middle, true},
	{"devices, label of N/10", label_many, true},
	{"devices, label of 40", label_few, false},
	{"devices, a rare maker", rare_maker, false},
	{"devices, held", held, true},
	{"devices, EK digest", by_ek, false},
	{"devices, certificate's serial", by_serial, false},
	{"devices, machine's serial", by_machine, false},
	{"device, shown whole", show, false},
	{"hosts, page after page", hosts, true},
	{"hosts, *.s3.example.org", hosts_suffix, true},
	{"certificates, page after page", certificates, true},
	{"certificates, revoked", revoked, true},
	{"certificates, of a name", of_host, false},
	{"certificates, web-12*", of_hosts, true},
	{"certificates, of a device", of_device, false},
	{"audit, page after page", audit, true},
	{"audit, an hour of then", audit_then, false},
	{"audit, of a name", audit_host, false},
	{"audit, what people did", audit_acts, true},
	{"audit, of a certificate", audit_serial, false},
	{"statistics", statistics, false},
};

static void measure(const struct question *question, size_t rounds)
{
	static double times[MOST];
	char after[FOUND_CURSOR] = "";
	size_t rows = 0;

	for (size_t round = 0; round < rounds; round++) {
		AUTO(found_free) struct found found = {0};
		long i = 1 + (long)(round * 7919003) % (devices - 1);
		double begin = now_us();

		if (question->ask(i, after[0] == '\0' ? NULL : after, &found) != OK) {
			fprintf(stderr, "%s: %s\n", question->name, why()->sentence);
			exit(EXIT_FAILURE);
		}
		times[round] = now_us() - begin;
		rows += found.n;
		if (question->pages)
			snprintf(after, sizeof(after), "%s", found.next);
	}
	printf("%-36s %8.2f %8.2f %8.1f\n", question->name, percentile(times, rounds, 50) / 1e3,
		percentile(times, rounds, 99) / 1e3, (double)rows / (double)rounds);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	size_t rounds = 200;
	double begin = now_us();

	devices = argc > 1 ? strtol(argv[1], NULL, 10) : devices;
	rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : rounds;
	if (getenv("ENDORSE_TEST_DB") == NULL || devices < 1000 || rounds < 1 || rounds > MOST) {
		fprintf(stderr, "usage: tests/flow/with-postgres bench-search [N [1..%d]]\n", MOST);
		return 2;
	}
	if (db_open(getenv("ENDORSE_TEST_DB"), 1, 5000, &db) != OK || db_migrate(db) != OK) {
		fprintf(stderr, "bench-search: %s\n", why()->sentence);
		return EXIT_FAILURE;
	}
	load();
	printf("%ld devices, %ld certificates and rows of audit; loaded in %.0f s; %zu times each, "
	       "pages of 50\n%-36s %8s %8s %8s\n",
		devices, 2 * devices, (now_us() - begin) / 1e6, rounds, "", "p50 ms", "p99 ms",
		"rows");
	for (size_t i = 0; i < COUNT(questions); i++)
		measure(&questions[i], rounds);
	db_close(&db);
	return EXIT_SUCCESS;
}
