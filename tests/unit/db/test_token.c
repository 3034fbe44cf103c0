#include "db/token.h"

#include "database.h"
#include "tests/unit/check.h"

#define NOW INT64_C(1800000000)

static const struct act admin = {.who = "operator:alice",
	.from = "192.0.2.7",
	.reason = "because",
	.request_id = "r-9",
	.now = NOW};
static const uint8_t digest[SHA256_SIZE] = {1}, other[SHA256_SIZE] = {2};

static struct token_standing find(struct db *db, int64_t now)
{
	struct token_standing is;

	assert_ok(token_find(db, digest, now, &is));
	return is;
}

static void a_token_is_found_by_its_digest_alone(void **state)
{
	struct token_standing is;

	assert_false(find(*state, NOW).is_known);
	assert_ok(token_create(*state, digest, "ci", "operator", NOW + 60, &admin));
	is = find(*state, NOW);
	assert_true(is.is_known);
	assert_false(is.is_revoked);
	assert_int_equal(NOW + 60, is.expires_at);
	assert_string_equal("ci", is.name);
	assert_string_equal("operator", is.role);
	assert_ok(token_find(*state, other, NOW, &is));
	assert_false(is.is_known);
}

static void a_name_is_given_once_for_ever(void **state)
{
	assert_ok(token_create(*state, digest, "ci", "operator", NOW + 60, &admin));
	assert_refused(token_create(*state, other, "ci", "admin", NOW + 60, &admin), ERR_CONFLICT,
		"token-exists");
	assert_ok(token_revoke(*state, "ci", &admin));
	assert_refused(token_create(*state, other, "ci", "admin", NOW + 60, &admin), ERR_CONFLICT,
		"token-exists");
}

static void a_token_that_is_revoked_stays_so(void **state)
{
	assert_refused(token_revoke(*state, "ci", &admin), ERR_NOT_FOUND, "token-missing");
	assert_ok(token_create(*state, digest, "ci", "operator", NOW + 60, &admin));
	assert_ok(token_revoke(*state, "ci", &admin));
	assert_ok(token_revoke(*state, "ci", &admin));
	assert_true(find(*state, NOW).is_revoked);
	assert_int_equal(
		1, database_count("SELECT count(*) FROM audit WHERE event = 'token.revoked'"));
	assert_int_equal(2, database_count("SELECT count(*) FROM audit WHERE"
					   " who = 'operator:alice' AND"
					   " client_address = '192.0.2.7' AND request_id = 'r-9'"));
}

static int64_t used_at(void)
{
	return database_count("SELECT coalesce(extract(epoch FROM used_at)::bigint, 0)"
			      " FROM api_token WHERE name = 'ci'");
}

static void when_it_was_used_is_kept_by_the_minute_and_only_while_it_is_good(void **state)
{
	assert_ok(token_create(*state, digest, "ci", "operator", NOW + 600, &admin));
	assert_int_equal(0, used_at());
	find(*state, NOW);
	assert_int_equal(NOW, used_at());
	find(*state, NOW + 60);
	assert_int_equal(NOW, used_at());
	find(*state, NOW + 61);
	assert_int_equal(NOW + 61, used_at());
	find(*state, NOW + 600);
	assert_int_equal(NOW + 61, used_at());
	assert_ok(token_revoke(*state, "ci", &admin));
	find(*state, NOW + 300);
	assert_int_equal(NOW + 61, used_at());
}

static void the_list_has_the_latest_first(void **state)
{
	AUTO(token_page_free) struct token_page page = {0};
	struct act later = admin;

	later.now = NOW + 1;
	assert_ok(token_create(*state, digest, "a", "operator", NOW + 60, &admin));
	assert_ok(token_create(*state, other, "b", "admin", NOW + 60, &later));
	assert_ok(token_list(*state, 1, &page));
	assert_int_equal(1, page.n);
	assert_true(page.more);
	assert_string_equal("b", page.items[0].name);
	assert_string_equal("operator:alice", page.items[0].created_by);
	assert_int_equal(0, page.items[0].used_at);
	assert_int_equal(0, page.items[0].revoked_at);
}

#define TEST(f) cmocka_unit_test_setup(f, database_unadministered)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_token_is_found_by_its_digest_alone),
		TEST(a_name_is_given_once_for_ever),
		TEST(a_token_that_is_revoked_stays_so),
		TEST(when_it_was_used_is_kept_by_the_minute_and_only_while_it_is_good),
		TEST(the_list_has_the_latest_first),
	};

	return cmocka_run_group_tests(tests, database_migrated, database_close);
}
