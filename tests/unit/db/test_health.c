#include "database.h"
#include "db/health.h"
#include "db/hosts.h"
#include "db/pool_connection.h"

static void a_database_beside_us_has_our_time(void **state)
{
	struct db_health health;

	assert_int_equal(OK, db_health(*state, &health));
	assert_in_range(health.ahead_ms + 1000, 0, 2000);
}

static void connections_that_are_lent_are_counted(void **state)
{
	struct db_health health;
	PGconn *one, *two;

	assert_int_equal(OK, db_take(*state, &one));
	assert_int_equal(OK, db_take(*state, &two));
	assert_int_equal(OK, db_health(*state, &health));
	assert_int_equal(2, health.lent);
	assert_int_equal(8, health.size);
	db_give(*state, one, true);
	db_give(*state, two, false);
	assert_int_equal(OK, db_health(*state, &health));
	assert_int_equal(0, health.lent);
}

static void every_trip_is_counted_once(void **state)
{
	AUTO(found_free) struct found found = {0};
	struct hosts_query query = {.limit = 1};
	uint64_t before = db_trips(*state);
	struct db_health health;

	assert_int_equal(OK, hosts_find(*state, &query, &found));
	assert_int_equal(before + 1, db_trips(*state));
	assert_int_equal(OK, db_health(*state, &health)); /* beside the pool */
	assert_int_equal(before + 1, db_trips(*state));
}

static void one_that_is_away_is_told(void **state)
{
	struct db_health health;
	struct db *away = NULL;

	(void)state;
	assert_int_equal(OK, db_open("host=/nonexistent dbname=x", 4, 100, &away));
	assert_int_equal(ERR_BUSY, db_health(away, &health));
	assert_string_equal("database-unreachable", why()->code);
	assert_int_equal(4, health.size);
	db_close(&away);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_migrated, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_database_beside_us_has_our_time),
		TEST(connections_that_are_lent_are_counted),
		TEST(every_trip_is_counted_once),
		TEST(one_that_is_away_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
