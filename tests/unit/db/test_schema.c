#include "attempt.h"
#include "database.h"

#include <string.h>

/* Each of these is wrong in one thing; 23514 is a CHECK, 23505 a unique and 23503 a foreign key. */
static const struct {
	const char *state, *sql;
} nonsense[] = {
	{"23514", "UPDATE device SET state = 'on holiday'"},
	{"23514", "UPDATE device SET trust_class = 'unproven-root'"},
	{"23514", "UPDATE device SET trust_version = 'not hexadecimal'"},
	{"23514", "UPDATE device SET trust_version = repeat('a', 129)"},
	{"", "UPDATE device SET trust_version = repeat('a', 128)"},
	{"23514", "UPDATE device SET trust_version = ''"},
	{"23514", "UPDATE device SET model = repeat('a', 513)"},
	{"23514", "UPDATE device SET barred_reason = 'two words'"},
	{"23514", "UPDATE device SET labels = '[]'"},
	{"23514", "UPDATE device SET revision = 0"},
	{"23514", "UPDATE device SET last_refusal_code = 'without-a-time'"},
	{"23503", "DELETE FROM device"},
	{"23514", "UPDATE ek SET ek_digest = '\\x01'"},
	{"23514", "UPDATE ek SET kind = 'RSA 2048'"},
	{"23514", "UPDATE ek SET kind = repeat('a', 65)"},
	{"", "UPDATE ek SET kind = repeat('a', 64)"},
	{"23514", "UPDATE ek SET kind = '.a'"},
	{"23514", "UPDATE ek SET certificate = ''"},
	{"23514", "UPDATE ek SET public = ''"},
	{"23514", "UPDATE ek SET chain = array_fill('a'::bytea, ARRAY[9])"},
	{"23503", "UPDATE ek SET device_id = gen_random_uuid()"},
	{"23514", "UPDATE host SET name = 'A.example.org'"},
	{"23514", "UPDATE host SET name = 'localhost'"},
	{"23514", "UPDATE host SET name = '192.0.2.1'"},
	{"23514", "UPDATE host SET name = '*.example.org'"},
	{"23514", "UPDATE host SET name = 'a.example.org.'"},
	{"23514", "UPDATE host SET name = 'a..example.org'"},
	{"23514", "UPDATE host SET name = '-a.example.org'"},
	{"23514", "UPDATE host SET name = E'a.example.org\\n'"},
	{"23514", "UPDATE host SET name = repeat('a', 64) || '.org'"},
	{"23514", "UPDATE host SET name = 'b.' || repeat('a', 64)"},
	{"23514", "UPDATE host SET name = 'c.' || repeat('a', 64) || '.b'"},
	{"", "UPDATE host SET name = 'c.' || repeat('a', 63) || '.b'"},
	{"", "UPDATE host SET name = 'a--b.1.c-d'"},
	{"23514", "UPDATE host SET name = 'a-.example.org'"},
	{"23514", "UPDATE host SET name = 'a.-b.org'"},
	{"23514", "UPDATE host SET name = 'a_b.org'"},
	{"23514", "UPDATE host SET name = ''"},
	{"23514", "UPDATE host SET name = repeat('abcdefg.', 32) || 'org'"},
	{"23505", "INSERT INTO host SELECT 'b.example.org', device_id, false, now() FROM device"},
	{"23514", "UPDATE ak SET state = 'dead'"},
	{"23514", "UPDATE ak SET name = '\\x0004' || substr(name, 3)"},
	{"23514", "UPDATE ak SET name = ''"},
	{"23514", "UPDATE ak SET public = ''"},
	{"23514", "UPDATE certificate SET serial = ''"},
	{"23514", "UPDATE certificate SET serial = sha256('long')"},
	{"23514", "UPDATE certificate SET not_after = not_before"},
	{"23514", "UPDATE certificate SET revoked_at = now()"},
	{"23514", "UPDATE certificate SET revocation_reason = 'keyCompromise'"},
	{"23514", "UPDATE certificate SET revoked_at = now(), revocation_reason = 'two words'"},
	{"23514", "UPDATE certificate SET revoked_at = now(), revocation_reason = repeat('a', 33)"},
	{"23514", "UPDATE certificate SET revoked_with = 'anger'"},
	{"23514", "UPDATE certificate SET kind = 'x400'"},
	{"23514", "UPDATE certificate SET key_kind = 'none'"},
	{"23514", "UPDATE certificate SET key_sha256 = 'short'"},
	{"23514", "UPDATE certificate SET issuer = 'short'"},
	{"23514", "UPDATE certificate SET shard = -1"},
	{"23514", "UPDATE certificate SET place = -1"},
	{"23514", "UPDATE certificate SET template_version = -1"},
	{"23503", "UPDATE certificate SET device_id = gen_random_uuid()"},
	{"23514", "UPDATE certificate SET der = ''"},
	{"23503", "UPDATE certificate SET ak_name = 'of another device'"},
	{"23514", "UPDATE ticket SET serials = '{}'"},
	{"23514", "UPDATE ticket SET request_digest = ''"},
	{"23514", "INSERT INTO audit (at, event) VALUES (now(), 'Not A Word')"},
	{"23514", "INSERT INTO audit (at, event, trust_version) VALUES (now(), 'a', 'No Hex')"},
	{"23514", "INSERT INTO audit (at, event, policy_version) VALUES (now(), 'a', '')"},
	{"EN002", "UPDATE audit SET event = 'other'"},
	{"EN002", "DELETE FROM audit"},
	{"EN002", "DELETE FROM audit WHERE false"},
	{"EN002", "TRUNCATE audit"},
	{"EN002", "SET session_replication_role = replica; DELETE FROM audit"},
	{"", "INSERT INTO audit (at, event) VALUES (now(), 'a.word')"},
	{"23505", "INSERT INTO trust_state (one, revision) VALUES (true, 1)"},
	{"23514", "INSERT INTO trust_state (one, revision) VALUES (false, 1)"},
	{"23514", "UPDATE trust_state SET revision = -1"},
	{"", "INSERT INTO trusted VALUES (sha256('a'), 'root', 'a', '', '', '', now(), 'w', 'y')"},
	{"23514", "UPDATE trusted SET role = 'leaf'"},
	{"23514", "UPDATE trusted SET der = 'b'"},
	{"23514", "UPDATE trusted SET der = repeat('a', 16385)::bytea,"
		  " sha256 = sha256(repeat('a', 16385)::bytea)"},
	{"", "UPDATE trusted SET role = 'crl', der = repeat('a', 16385)::bytea,"
	     " sha256 = sha256(repeat('a', 16385)::bytea)"},
	{"23514", "UPDATE trusted SET der = repeat('a', 1048577)::bytea,"
		  " sha256 = sha256(repeat('a', 1048577)::bytea)"},
	{"", "INSERT INTO ek_allowed VALUES"
	     " (sha256('a'), NULL, NULL, 'a.example.org', '{}', '', now(), 'w', 'y')"},
	{"23505", "INSERT INTO ek_allowed VALUES"
		  " (sha256('b'), NULL, NULL, 'a.example.org', '{}', '', now(), 'w', 'y')"},
	{"23514", "UPDATE ek_allowed SET host = '*.example.org'"},
	{"23514", "UPDATE ek_allowed SET labels = '[]'"},
	{"23514", "UPDATE ek_allowed SET labels = jsonb_build_object('a', repeat('b', 8192))"},
	{"23514", "UPDATE ek_allowed SET ek_public = ''"},
	{"", "INSERT INTO pending (attempt_id, ek_digest, ek_public, ak_name, code, sentence,"
	     " source, first_at, last_at) VALUES ('sixteen octets..', sha256('a'), 'key',"
	     " 'ak', 'ek-untrusted', '', NULL, now(), now())"},
	{"23505", "INSERT INTO pending (attempt_id, ek_digest, ek_public, ak_name, code, sentence,"
		  " source, first_at, last_at) VALUES ('16 other octets.', sha256('a'),"
		  " 'key', 'ak', 'ek-untrusted', '', NULL, now(), now())"},
	{"23514", "UPDATE pending SET attempt_id = 'short'"},
	{"23514", "UPDATE pending SET state = 'accepted'"},
	{"23514", "UPDATE pending SET state = 'accepted', decided_at = now()"},
	{"23514", "UPDATE pending SET decided_at = now(), decided_by = 'w'"},
	{"23514", "UPDATE pending SET state = 'asleep', decided_at = now(), decided_by = 'w'"},
	{"23514", "UPDATE pending SET chain = array_fill('a'::bytea, ARRAY[9])"},
	{"23514", "UPDATE pending SET asked = 0"},
	{"23514", "INSERT INTO pending_ticket VALUES (sha256('t'), 'short', now())"},
};

static void constraints_keep_nonsense_out(void **state)
{
	struct attempt a = attempt_of(*state, 1, "a.example.org");

	attempt_enroll(&a);
	for (size_t i = 0; i < COUNT(nonsense); i++) {
		const char *found = database_try(nonsense[i].sql);

		if (strcmp(nonsense[i].state, found) != 0)
			fail_msg(
				"\"%s\" and not %s: %s", found, nonsense[i].state, nonsense[i].sql);
	}
	enrollment_facts_free(&a.facts);
}

/* An index whose columns begin with the foreign key's, in any order. */
static void every_foreign_key_has_an_index(void **state)
{
	(void)state;
	assert_int_equal(
		0, database_count("SELECT count(*) FROM pg_constraint AS key WHERE contype = 'f'"
				  " AND NOT EXISTS (SELECT FROM pg_index"
				  " WHERE indrelid = conrelid AND indpred IS NULL"
				  " AND (indkey::int2[])[0:cardinality(conkey) - 1] @> conkey)"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_migrated, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(constraints_keep_nonsense_out),
		TEST(every_foreign_key_has_an_index),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
