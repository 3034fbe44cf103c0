#include "attempt.h"
#include "database.h"
#include "db/schema.h"

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

/* As a server of the version before left it: five files, and a device that enrolled. */
static void what_was_there_before_the_later_files_is_kept(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");
	int64_t files;

	assert_int_equal(OK, db_migrate(*state));
	attempt_enroll(&a);
	database_do("DROP INDEX certificate_ended; DROP FUNCTION audit_keep_young CASCADE;"
		    "DROP PROCEDURE audit_forget");
	database_do("DROP TABLE device_label; DROP FUNCTION device_label_follow CASCADE;"
		    "DROP FUNCTION audit_id_at; DROP INDEX device_created, device_manufacturer,"
		    " device_barred, host_reversed, certificate_issued, certificate_host,"
		    " certificate_taken_back, audit_host, audit_who, audit_acts");
	database_do(
		"DROP VIEW certificate_in_force;"
		"DROP TABLE trusted, trust_state, ek_allowed, pending, pending_ticket;"
		"DROP TABLE operator, operator_revoked, api_token, issuer, crl_plan, crl_shard,"
		" krl, revocation, host_barred, ocsp_responder;"
		"DROP SEQUENCE crl_place;"
		"DROP TRIGGER certificate_follow ON certificate; DROP FUNCTION certificate_follow;"
		"DROP TRIGGER krl_follow ON device; DROP FUNCTION krl_follow;"
		"DROP INDEX certificate_krl, device_krl;"
		"ALTER TABLE certificate DROP issuer, DROP shard, DROP revoked_with;"
		"ALTER TABLE device DROP CONSTRAINT device_state_check, DROP barred_at,"
		" DROP barred_reason, DROP barred_why, DROP barred_by,"
		" ADD CONSTRAINT device_state_check CHECK (state IN ('active', 'revoked'));"
		"DROP INDEX certificate_sha256;"
		"ALTER TABLE certificate DROP kind, DROP key_kind, DROP key_sha256;"
		"ALTER TABLE ek DROP public, DROP chain;"
		"ALTER TABLE ak DROP ek_digest, DROP proven_at;"
		"DROP SEQUENCE ssh_serial;"
		"CREATE VIEW certificate_in_force AS SELECT * FROM certificate;"
		"DELETE FROM schema_version WHERE number > 5");
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
