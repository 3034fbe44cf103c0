#include "attempt.h"
#include "ca/base/encode.h"
#include "database.h"
#include "db/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void a_fresh_database_gets_every_file(void **state)
{
	assert_int_equal(OK, db_migrate(*state));
	assert_int_equal(schema_files_n, database_count("SELECT count(*) FROM schema_version"));
	assert_int_equal(0, database_count("SELECT count(*) FROM device"));
}

static void migrating_again_changes_nothing(void **state)
{
	assert_int_equal(OK, db_migrate(*state));
	database_do("UPDATE schema_version SET applied_at = 'epoch'");
	assert_int_equal(OK, db_migrate(*state));
	assert_int_equal(schema_files_n,
		database_count("SELECT count(*) FROM schema_version WHERE applied_at = 'epoch'"));
}

struct server {
	struct db *db;
	enum err err;
};

static void *migrate(void *of_server)
{
	struct server *server = of_server;

	server->err = db_migrate(server->db);
	return NULL;
}

static void eight_servers_may_migrate_at_once(void **state)
{
	struct server servers[8];
	void *arguments[8];

	for (size_t i = 0; i < COUNT(servers); i++) {
		servers[i] = (struct server){*state, ERR_INTERNAL};
		arguments[i] = &servers[i];
	}
	at_once(COUNT(servers), migrate, arguments);
	for (size_t i = 0; i < COUNT(servers); i++)
		assert_int_equal(OK, servers[i].err);
	assert_int_equal(OK, db_ready(*state));
}

static void a_file_that_fails_leaves_nothing_behind(void **state)
{
	/* The third file makes a table of this name; the two before it go well. */
	database_do("CREATE VIEW audit AS SELECT 1 AS one");
	assert_int_equal(ERR_INTERNAL, db_migrate(*state));
	assert_string_equal("schema-failed", why()->code);
	assert_int_equal(2, database_count("SELECT count(*) FROM schema_version"));
	database_do("DROP VIEW audit");
	assert_int_equal(OK, db_migrate(*state));
}

/* Which files on disk the tables are that grow. */
#define FILES                                                                                      \
	"SELECT sum(pg_relation_filenode(name)::bigint) FROM unnest("                              \
	"ARRAY['certificate', 'ek', 'ak', 'device', 'host', 'audit']::regclass[]) AS name"

/* As a server of that version would have left it. */
static void apply_the_first(unsigned files)
{
	static const char hex[] = "0123456789abcdef";

	for (unsigned i = 0; i < files; i++) {
		const struct schema_file *file = &schema_files[i];
		AUTO(mem_free) char *sql = calloc(2, file->n + 256);
		char *at;

		assert_non_null(sql);
		database_do((const char *)file->text);
		at = sql + snprintf(sql, 256,
				   "INSERT INTO schema_version (number, name, sha256)"
				   " VALUES (%u, '%s', sha256('\\x",
				   file->number, file->name);
		for (size_t k = 0; k < file->n; k++) {
			*at++ = hex[file->text[k] >> 4];
			*at++ = hex[file->text[k] & 15];
		}
		memcpy(at, "'))", 4);
		database_do(sql);
	}
}

/* What a first enrollment wrote in those days. */
static void enroll_in_the_past(const struct attempt *a)
{
	char sql[4096], ek[65], ak[69], ticket[65], request[65];

	hex_write(VIEW(a->ek_digest), ek);
	hex_write(VIEW(a->ak_name), ak);
	hex_write(VIEW(a->ticket_digest), ticket);
	hex_write(VIEW(a->request_digest), request);
	snprintf(sql, sizeof(sql),
		"WITH device AS (INSERT INTO device (device_id, created_at, trust_class, "
		"trust_version)"
		"  VALUES (gen_random_uuid(), now(), 'manufacturer', '00ff') RETURNING device_id),"
		" ek AS (INSERT INTO ek (ek_digest, device_id, kind, created_at)"
		"  SELECT '\\x%s', device_id, 'rsa2048', now() FROM device RETURNING device_id),"
		" host AS (INSERT INTO host (name, device_id, alias, bound_at)"
		"  SELECT '%s', device_id, false, now() FROM ek RETURNING device_id, binding),"
		" ak AS (INSERT INTO ak (name, device_id, public, kind, created_at)"
		"  SELECT '\\x%s', device_id, 'public', 'ecc-p256', now() FROM host RETURNING "
		"name),"
		" certificate AS (INSERT INTO certificate (serial, device_id, host, binding, "
		"ak_name,"
		"   template, template_version, grant_digest, place, der, not_before, not_after,"
		"   issued_at, trust_version, policy_version)"
		"  SELECT '\\x01', device_id, '%s', binding, name, 'ak', 1, sha256('grant'), 0, "
		"'der',"
		"   to_timestamp(%d), to_timestamp(%d), to_timestamp(%d), '00ff', 'abcd'"
		"  FROM host, ak RETURNING device_id, ak_name, serial)"
		" INSERT INTO ticket (ticket_digest, request_digest, device_id, host, ak_name, "
		"serials,"
		"  used_at) SELECT '\\x%s', '\\x%s', device_id, '%s', ak_name, ARRAY[serial], now()"
		" FROM certificate",
		ek, a->host, ak, a->host, NOW, NOW + YEAR, NOW, ticket, request, a->host);
	database_do(sql);
}

static void what_was_there_before_the_later_files_is_kept(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	int64_t files;

	apply_the_first(5);
	enroll_in_the_past(&a);
	assert_int_equal(ERR_BUSY, db_ready(*state));
	assert_string_equal("database-schema", why()->code);
	files = database_count(FILES);
	assert_int_equal(OK, db_migrate(*state));
	/* A large table that is written anew keeps everybody out for long. */
	assert_int_equal(files, database_count(FILES));
	assert_int_equal(OK, db_ready(*state));
	assert_int_equal(0, database_count("SELECT revision FROM trust_state"));
	assert_int_equal(1, database_count("SELECT count(*) FROM certificate_in_force WHERE"
					   " kind = 'x509' AND key_kind = 'ak'"
					   " AND key_sha256 IS NULL"));
	assert_int_equal(1, database_count("SELECT count(*) FROM ak WHERE proven_at IS NULL"));
	attempt_lookup(&a);
	assert_true(a.facts.ticket_used && a.facts.host_is_ours);
	attempt_anew(&a);
	attempt_enroll(&a);
	assert_int_equal(1, database_count("SELECT count(*) FROM device"));
	enrollment_facts_free(&a.facts);
}

static void a_database_of_a_later_version_is_left_alone(void **state)
{
	assert_int_equal(OK, db_migrate(*state));
	database_do("INSERT INTO schema_version (number, name, sha256)"
		    " SELECT max(number) + 1, 'later', sha256('') FROM schema_version");
	assert_int_equal(ERR_INTERNAL, db_migrate(*state));
	assert_string_equal("schema-newer", why()->code);
	assert_int_equal(ERR_BUSY, db_ready(*state));
	assert_string_equal("schema-newer", why()->code);
}

static void a_file_that_was_applied_with_other_content_is_an_error(void **state)
{
	assert_int_equal(OK, db_migrate(*state));
	database_do("UPDATE schema_version SET sha256 = sha256('') WHERE number = 1");
	assert_int_equal(ERR_INTERNAL, db_migrate(*state));
	assert_string_equal("schema-changed", why()->code);
}

static void a_gap_in_what_was_applied_is_an_error(void **state)
{
	assert_int_equal(OK, db_migrate(*state));
	database_do("DELETE FROM schema_version WHERE number = 1");
	assert_int_equal(ERR_INTERNAL, db_migrate(*state));
	assert_string_equal("schema-changed", why()->code);
}

static void a_database_without_our_schema_is_not_ready(void **state)
{
	assert_int_equal(ERR_BUSY, db_ready(*state));
	assert_string_equal("database-schema", why()->code);
}

static void a_migrated_database_is_ready(void **state)
{
	assert_int_equal(OK, db_migrate(*state));
	assert_int_equal(OK, db_ready(*state));
}

static void a_database_that_can_only_be_read_is_not_ready(void **state)
{
	assert_int_equal(OK, db_migrate(*state));
	database_do("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET"
		    " default_transaction_read_only = on', current_database()); END $$");
	assert_int_equal(ERR_BUSY, db_ready(*state));
	assert_string_equal("database-refuses", why()->code);
	database_do("BEGIN READ WRITE;"
		    "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I RESET"
		    " default_transaction_read_only', current_database()); END $$; COMMIT");
	assert_int_equal(OK, db_ready(*state));
}

static void a_server_that_is_away_is_not_ready(void **state)
{
	struct db *db = NULL;

	(void)state;
	assert_int_equal(OK, db_open("host=/nonexistent dbname=x", 1, 100, &db));
	assert_int_equal(ERR_BUSY, db_ready(db));
	assert_string_equal("database-unreachable", why()->code);
	assert_int_equal(ERR_BUSY, db_migrate(db));
	db_close(&db);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_empty, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_fresh_database_gets_every_file),
		TEST(migrating_again_changes_nothing),
		TEST(eight_servers_may_migrate_at_once),
		TEST(a_file_that_fails_leaves_nothing_behind),
		TEST(what_was_there_before_the_later_files_is_kept),
		TEST(a_database_of_a_later_version_is_left_alone),
		TEST(a_file_that_was_applied_with_other_content_is_an_error),
		TEST(a_gap_in_what_was_applied_is_an_error),
		TEST(a_database_without_our_schema_is_not_ready),
		TEST(a_migrated_database_is_ready),
		TEST(a_database_that_can_only_be_read_is_not_ready),
		TEST(a_server_that_is_away_is_not_ready),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
