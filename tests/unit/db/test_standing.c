#include "database.h"
#include "db/standing.h"

#include "ca/base/clock.h"

#include <cmocka.h>
#include <string.h>

#define NOW 1800000000

static void a_clock_more_than_a_minute_from_the_databases_is_not_used(void **state)
{
	static const struct {
		int64_t now;
		enum err wanted;
		const char *says;
	} rows[] = {
		{NOW, OK, NULL},
		{NOW + 58, OK, NULL},
		{NOW - 58, OK, NULL},
		{NOW + 3600, ERR_BUSY, "seconds ahead of the database's"},
		{NOW - 3600, ERR_BUSY, "seconds behind the database's"},
		{NOW + INT64_C(3650) * 86400, ERR_BUSY, "315360000 seconds ahead"},
		{0, ERR_BUSY, "1800000000 seconds behind"},
	};
	struct standing standing = {.trouble_until = 0};

	(void)state;
	standing_init(&standing);
	/* Nothing is known yet. */
	assert_int_equal(OK, standing_judge_clock(&standing, 0));
	for (size_t i = 0; i < COUNT(rows); i++) {
		standing_hear_clock(&standing, NOW);
		assert_int_equal(rows[i].wanted, standing_judge_clock(&standing, rows[i].now));
		if (rows[i].wanted == OK)
			continue;
		assert_string_equal("clock-differs", why()->code);
		assert_non_null(strstr(why()->sentence, rows[i].says));
	}
	standing_destroy(&standing);
}

static void trouble_is_told_until_an_enrollment_succeeds(void **state)
{
	struct standing standing = {.trouble_until = 0};

	(void)state;
	standing_init(&standing);
	assert_int_equal(OK, standing_judge(&standing));
	standing_note(&standing, refuse(ERR_BUSY, "database-refuses", "", "no space left"));
	assert_int_equal(ERR_BUSY, standing_judge(&standing));
	assert_string_equal("database-refuses", why()->code);
	assert_non_null(strstr(why()->sentence, "no space left"));
	standing_note(&standing, OK);
	assert_int_equal(OK, standing_judge(&standing));
	standing_destroy(&standing);
}

static void that_others_were_faster_or_nobody_answers_just_now_is_no_trouble(void **state)
{
	struct standing standing = {.trouble_until = 0};

	(void)state;
	standing_init(&standing);
	standing_note(&standing, refuse(ERR_CONFLICT, "database-moved", "", "faster"));
	standing_note(&standing, refuse(ERR_BUSY, "database-busy", "", "all in use"));
	standing_note(&standing, refuse(ERR_BUSY, "database-unreachable", "", "away"));
	assert_int_equal(OK, standing_judge(&standing));
	standing_destroy(&standing);
}

static void a_ready_database_says_what_time_it_is(void **state)
{
	assert_int_equal(OK, db_clock_judge(*state, 0));
	assert_int_equal(OK, db_ready(*state));
	assert_int_equal(OK, db_clock_judge(*state, clock_now()));
	assert_int_equal(ERR_BUSY, db_clock_judge(*state, clock_now() + 3600));
	assert_string_equal("clock-differs", why()->code);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, database_migrated, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clock_more_than_a_minute_from_the_databases_is_not_used),
		cmocka_unit_test(trouble_is_told_until_an_enrollment_succeeds),
		cmocka_unit_test(that_others_were_faster_or_nobody_answers_just_now_is_no_trouble),
		TEST(a_ready_database_says_what_time_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
