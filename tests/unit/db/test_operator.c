#include "db/operator.h"

#include "database.h"
#include "tests/unit/check.h"

#include <string.h>

static const struct act admin = {.who = "admin-token",
	.from = "2001:db8::7",
	.reason = "because",
	.request_id = "r-9",
	.now = 1800000000};
static const uint8_t certificate[SHA256_SIZE] = {1}, other[SHA256_SIZE] = {2};

static struct operator_standing find(struct db *db, const char *name)
{
	struct operator_standing is;

	assert_ok(operator_find(db, name, certificate, &is));
	return is;
}

static void an_operator_has_the_role_that_he_was_given_last(void **state)
{
	assert_false(find(*state, "alice").is_known);
	assert_ok(operator_add(*state, "alice", "auditor", &admin));
	assert_true(find(*state, "alice").is_known);
	assert_false(find(*state, "alice").is_disabled);
	assert_false(find(*state, "alice").is_revoked);
	assert_string_equal("auditor", find(*state, "alice").role);
	assert_refused(
		operator_add(*state, "alice", "admin", &admin), ERR_CONFLICT, "operator-exists");
	assert_string_equal("auditor", find(*state, "alice").role);
	assert_ok(operator_set_role(*state, "alice", "admin", &admin));
	assert_string_equal("admin", find(*state, "alice").role);
	assert_refused(operator_set_role(*state, "bob", "admin", &admin), ERR_NOT_FOUND,
		"operator-missing");
	/* Names are as they are written. */
	assert_false(find(*state, "Alice").is_known);
}

static void who_is_disabled_stays_so_until_he_is_added_again(void **state)
{
	int64_t tokens;

	assert_refused(operator_disable(*state, "alice", "operator:alice", &admin, &tokens),
		ERR_NOT_FOUND, "operator-missing");
	assert_ok(operator_add(*state, "alice", "admin", &admin));
	assert_ok(operator_disable(*state, "alice", "operator:alice", &admin, &tokens));
	assert_true(find(*state, "alice").is_disabled);
	assert_ok(operator_set_role(*state, "alice", "operator", &admin));
	assert_true(find(*state, "alice").is_disabled);
	assert_ok(operator_disable(*state, "alice", "operator:alice", &admin, &tokens));
	assert_int_equal(
		1, database_count("SELECT count(*) FROM audit WHERE event = 'operator.disabled'"));
	assert_ok(operator_add(*state, "alice", "auditor", &admin));
	assert_false(find(*state, "alice").is_disabled);
	assert_string_equal("auditor", find(*state, "alice").role);
}

static void his_tokens_that_are_good_are_counted(void **state)
{
	int64_t tokens;

	assert_ok(operator_add(*state, "alice", "admin", &admin));
	database_do("INSERT INTO api_token (token_sha256, name, role, created_at, created_by,"
		    " expires_at, revoked_at) SELECT sha256(n::text::bytea), 't' || n, 'admin',"
		    " to_timestamp(1), CASE n WHEN 1 THEN 'operator:bob' ELSE 'operator:alice' END,"
		    " to_timestamp(CASE n WHEN 2 THEN 1800000000 ELSE 1800000001 END),"
		    " CASE n WHEN 3 THEN to_timestamp(2) END FROM generate_series(1, 5) AS n");
	assert_ok(operator_disable(*state, "alice", "operator:alice", &admin, &tokens));
	assert_int_equal(2, tokens);
}

static void a_certificate_is_taken_back_whoever_s_it_is(void **state)
{
	struct operator_standing is;

	assert_ok(operator_revoke_certificate(*state, certificate, "alice", &admin));
	assert_ok(operator_revoke_certificate(*state, certificate, "alice", &admin));
	assert_true(find(*state, "alice").is_revoked);
	assert_true(find(*state, "bob").is_revoked);
	assert_ok(operator_find(*state, "alice", other, &is));
	assert_false(is.is_revoked);
	assert_int_equal(1, database_count("SELECT count(*) FROM audit WHERE"
					   " event = 'operator.certificate-revoked'"));
}

static void each_act_is_audited_with_who_from_where_and_why(void **state)
{
	int64_t tokens;

	assert_ok(operator_add(*state, "alice", "auditor", &admin));
	assert_ok(operator_set_role(*state, "alice", "admin", &admin));
	assert_ok(operator_disable(*state, "alice", "operator:alice", &admin, &tokens));
	assert_ok(operator_revoke_certificate(*state, certificate, "alice", &admin));
	assert_int_equal(
		4, database_count("SELECT count(*) FROM audit WHERE who = 'admin-token'"
				  " AND client_address = '2001:db8::7' AND"
				  " request_id = 'r-9' AND at = to_timestamp(1800000000)"));
	assert_int_equal(1, database_count("SELECT count(*) FROM audit WHERE detail ="
					   " 'alice as admin, was auditor: because'"));
}

static void lists_say_when_there_is_more(void **state)
{
	AUTO(operator_page_free) struct operator_page all = {0}, some = {0};

	assert_ok(operator_add(*state, "bob", "auditor", &admin));
	assert_ok(operator_add(*state, "alice", "admin", &admin));
	assert_ok(operator_revoke_certificate(*state, certificate, "bob", &admin));
	assert_ok(operator_list(*state, 2, &all));
	assert_int_equal(2, all.n);
	assert_int_equal(1, all.revoked_n);
	assert_false(all.more);
	assert_string_equal("alice", all.items[0].name);
	assert_string_equal("admin-token", all.items[0].created_by);
	assert_int_equal(0, all.items[0].disabled_at);
	assert_string_equal("because", all.revoked[0].why);
	assert_memory_equal(certificate, all.revoked[0].certificate, SHA256_SIZE);
	assert_ok(operator_list(*state, 1, &some));
	assert_int_equal(1, some.n);
	assert_true(some.more);
}

struct race {
	struct db *db;
	const char *role;
	enum err err;
};

static void *add(void *of_race)
{
	struct race *race = of_race;

	race->err = operator_add(race->db, "alice", race->role, &admin);
	return NULL;
}

static void of_eight_admins_who_add_an_operator_one_did_it(void **state)
{
	struct race races[8];
	void *arguments[8];
	unsigned done = 0;

	for (size_t i = 0; i < COUNT(races); i++) {
		races[i] = (struct race){*state, i % 2 == 0 ? "admin" : "auditor", OK};
		arguments[i] = &races[i];
	}
	at_once(COUNT(races), add, arguments);
	for (size_t i = 0; i < COUNT(races); i++) {
		done += races[i].err == OK;
		assert_true(races[i].err == OK || races[i].err == ERR_CONFLICT);
	}
	assert_int_equal(1, done);
	assert_int_equal(
		1, database_count("SELECT count(*) FROM audit WHERE event = 'operator.added'"));
}

#define TEST(f) cmocka_unit_test_setup(f, database_unadministered)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_operator_has_the_role_that_he_was_given_last),
		TEST(who_is_disabled_stays_so_until_he_is_added_again),
		TEST(his_tokens_that_are_good_are_counted),
		TEST(a_certificate_is_taken_back_whoever_s_it_is),
		TEST(each_act_is_audited_with_who_from_where_and_why),
		TEST(lists_say_when_there_is_more),
		TEST(of_eight_admins_who_add_an_operator_one_did_it),
	};

	return cmocka_run_group_tests(tests, database_migrated, database_close);
}
