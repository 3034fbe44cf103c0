#include "database.h"
#include "standing.h"

#include "ca/base/clock.h"
#include "db/retention.h"

#include <string.h>

#define KEPT (INT64_C(90) * DAY)
#define ALL INT64_MAX

/* All of them ended so many days ago, and CRLs and KRL were made so many days ago. */
static void age(int ended, int made)
{
	char sql[512];

	snprintf(sql, sizeof(sql),
		"UPDATE certificate SET not_before = now() - interval '900 days',"
		"  not_after = now() - interval '%d days';"
		"UPDATE crl_shard SET published = changed, this_update = now() - interval '%d "
		"days';"
		"UPDATE krl SET published = changed, this_update = now() - interval '%d days'",
		ended, made, made);
	database_do(sql);
}

static int64_t certificates(void)
{
	return database_count("SELECT count(*) FROM certificate");
}

static int64_t purge(void **state)
{
	int64_t gone = -1;

	assert_int_equal(OK, retention_purge(*state, KEPT, ALL, &gone));
	return gone;
}

/* Two of X.509 and one of OpenSSH. */
static void one_device(void **state)
{
	struct attempt a;

	standing_none(state);
	a = standing_device(*state, 1, "a.example.org");
	enrollment_facts_free(&a.facts);
}

static void only_what_ended_long_enough_ago_goes(void **state)
{
	one_device(state);
	age(89, 1);
	assert_int_equal(0, purge(state));
	database_do(
		"UPDATE certificate SET not_after = now() - interval '91 days' WHERE place = 2");
	assert_int_equal(1, purge(state));
	assert_int_equal(0, database_count("SELECT count(*) FROM certificate WHERE place = 2"));
	age(91, 1);
	assert_int_equal(2, purge(state));
	assert_int_equal(0, certificates());
	assert_int_equal(1, database_count("SELECT count(*) FROM audit"));
	assert_int_equal(1, database_count("SELECT count(*) FROM device"));
}

static void what_is_older_than_the_records_of_cas_goes_too(void **state)
{
	one_device(state);
	database_do("UPDATE certificate SET issuer = NULL, shard = NULL");
	age(91, 1);
	assert_int_equal(3, purge(state));
}

static void what_was_revoked_waits_for_a_crl_that_was_made_after_its_end(void **state)
{
	one_device(state);
	database_do("DELETE FROM certificate WHERE place <> 0;"
		    "UPDATE certificate SET revoked_at = now(), revocation_reason = 'superseded'");
	age(91, 92);
	assert_int_equal(0, purge(state));
	database_do("UPDATE crl_shard SET this_update = now() - interval '90 days';"
		    "UPDATE crl_shard SET changed = changed + 1");
	assert_int_equal(0, purge(state));
	database_do("UPDATE crl_shard SET published = changed, this_update = NULL, number = NULL,"
		    " next_update = NULL, der = NULL");
	assert_int_equal(0, purge(state));
	database_do("UPDATE crl_shard SET this_update = now() - interval '90 days', number = 2,"
		    " next_update = now(), der = '\\x30'");
	assert_int_equal(1, purge(state));
}

static void what_was_revoked_goes_when_nobody_makes_its_crl(void **state)
{
	one_device(state);
	database_do("DELETE FROM certificate WHERE place <> 0;"
		    "UPDATE certificate SET revoked_at = now(), revocation_reason = 'superseded'");
	age(91, 92);
	database_do("UPDATE crl_shard SET next_update = now() - interval '29 days'");
	assert_int_equal(0, purge(state));
	database_do("UPDATE crl_shard SET next_update = now() - interval '31 days'");
	assert_int_equal(1, purge(state));
}

static void what_was_revoked_goes_when_its_crl_is_no_more(void **state)
{
	one_device(state);
	database_do("DELETE FROM certificate WHERE place <> 0;"
		    "UPDATE certificate SET revoked_at = now(), revocation_reason = 'superseded'");
	age(91, 92);
	database_do("DELETE FROM crl_shard");
	assert_int_equal(1, purge(state));
}

static void what_the_krl_has_goes_when_nobody_makes_one(void **state)
{
	one_device(state);
	database_do("DELETE FROM certificate WHERE place <> 1;"
		    "UPDATE certificate SET revoked_at = now(), revocation_reason = 'superseded'");
	age(91, 31);
	database_do("UPDATE krl SET changed = changed + 1");
	assert_int_equal(1, purge(state)); /* nobody makes one */
}

static void what_the_krl_may_not_have_left_out_waits(void **state)
{
	one_device(state);
	database_do("DELETE FROM certificate WHERE place <> 1;"
		    "UPDATE certificate SET revoked_at = now(), revocation_reason = 'superseded'");
	age(91, 1);
	database_do("UPDATE krl SET changed = changed + 1");
	assert_int_equal(0, purge(state));
	database_do("UPDATE krl SET published = changed");
	assert_int_equal(1, purge(state));
}

static void a_piece_is_a_piece(void **state)
{
	int64_t gone;

	one_device(state);
	age(91, 1);
	database_do(
		"INSERT INTO certificate (serial, device_id, host, binding, ak_name, template,"
		"  template_version, grant_digest, place, der, not_before, not_after, issued_at,"
		"  trust_version, policy_version, issuer, shard)"
		" SELECT substr(sha256(i::text::bytea), 1, 16), device_id, host, binding, ak_name,"
		"  template, template_version, grant_digest, place, der, not_before, not_after,"
		"  issued_at, trust_version, policy_version, issuer, shard"
		" FROM certificate, generate_series(1, 12000) AS i WHERE place = 0");
	assert_int_equal(OK, retention_purge(*state, KEPT, 5000, &gone));
	assert_int_equal(5000, gone);
	assert_int_equal(7003, certificates());
	assert_int_equal(7003, purge(state));
}

static void *purge_at_once(void *of_attempt)
{
	struct attempt *server = of_attempt;
	int64_t gone;

	server->err = retention_purge(server->db, KEPT, ALL, &gone);
	return NULL;
}

static void servers_that_purge_at_once_do_not_mind_each_other(void **state)
{
	struct attempt servers[4];
	void *arguments[4];

	one_device(state);
	age(91, 1);
	for (size_t i = 0; i < COUNT(servers); i++) {
		servers[i] = (struct attempt){.db = *state};
		arguments[i] = &servers[i];
	}
	at_once(COUNT(servers), purge_at_once, arguments);
	for (size_t i = 0; i < COUNT(servers); i++)
		assert_int_equal(OK, servers[i].err);
	purge(state);
	assert_int_equal(0, certificates());
}

/* Two rows of today, and one that is three years old. */
static void write_audit(void)
{
	database_do("INSERT INTO audit (at, event) VALUES (now() - interval '3 years', 'old'),"
		    " (now(), 'young'), (now(), 'young')");
}

static int64_t old_audit(void)
{
	return database_count("SELECT count(*) FROM audit WHERE event = 'old'");
}

static void nobody_deletes_of_the_audit_by_mistake(void **state)
{
	(void)state;
	write_audit();
	assert_string_equal("EN002", database_try("DELETE FROM audit WHERE event = 'old'"));
	assert_string_equal("EN002",
		database_try("CALL audit_forget(now() - interval '364 days', 'alice', 'old')"));
	assert_string_equal(
		"EN002", database_try("CALL audit_forget(now() - interval '2 years', ' ', 'old')"));
	assert_string_equal("EN002",
		database_try("CALL audit_forget(now() - interval '2 years', 'alice', '')"));
	assert_string_equal("EN002", database_try("CALL audit_forget(NULL, 'alice', 'old')"));
	assert_string_equal("EN002", database_try("SET endorse.audit_forget_before = '2999-01-01';"
						  "DELETE FROM audit WHERE event = 'young'"));
	assert_string_equal(
		"EN002", database_try("SET endorse.audit_forget_before = '2999-01-01';"
				      "UPDATE audit SET event = 'other' WHERE event = 'old'"));
	assert_string_equal("EN002", database_try("SET endorse.audit_forget_before = '1999-01-01';"
						  "DELETE FROM audit WHERE event = 'old'"));
	assert_int_equal(3, database_count("SELECT count(*) FROM audit"));
}

static void who_has_the_audit_forgotten_is_in_it(void **state)
{
	(void)state;
	write_audit();
	database_do("CALL audit_forget(now() - interval '2 years', 'alice', 'two years are over')");
	assert_int_equal(0, old_audit());
	assert_int_equal(3, database_count("SELECT count(*) FROM audit"));
	assert_int_equal(1,
		database_count(
			"SELECT count(*) FROM audit WHERE event = 'audit.forgotten'"
			" AND who = 'alice' AND detail LIKE 'all before %: two years are over'"));
	assert_string_equal("EN002", database_try("DELETE FROM audit"));
}

static void more_than_a_batch_of_the_audit_is_forgotten(void **state)
{
	(void)state;
	database_do("INSERT INTO audit (at, event) SELECT now() - interval '3 years'"
		    " + i * interval '1 second', 'old' FROM generate_series(1, 25000) AS i;"
		    "INSERT INTO audit (at, event) VALUES (now(), 'young')");
	database_do("CALL audit_forget(now() - interval '2 years', 'alice', 'two years are over')");
	assert_int_equal(0, old_audit());
	assert_int_equal(2, database_count("SELECT count(*) FROM audit"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_migrated, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_what_ended_long_enough_ago_goes),
		TEST(what_is_older_than_the_records_of_cas_goes_too),
		TEST(what_was_revoked_waits_for_a_crl_that_was_made_after_its_end),
		TEST(what_was_revoked_goes_when_nobody_makes_its_crl),
		TEST(what_was_revoked_goes_when_its_crl_is_no_more),
		TEST(what_the_krl_has_goes_when_nobody_makes_one),
		TEST(what_the_krl_may_not_have_left_out_waits),
		TEST(a_piece_is_a_piece),
		TEST(servers_that_purge_at_once_do_not_mind_each_other),
		TEST(nobody_deletes_of_the_audit_by_mistake),
		TEST(who_has_the_audit_forgotten_is_in_it),
		TEST(more_than_a_batch_of_the_audit_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
