#include "enroll/agent/renewal.h"

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define FROM INT64_C(1800000000)
#define LIFE INT64_C(7776000)

static void it_is_due_between_a_half_and_two_thirds_of_its_life(void **state)
{
	uint8_t digest[SHA256_SIZE] = {0};
	int64_t before = 0;

	(void)state;
	assert_int_equal(FROM + LIFE / 2, renewal_time(FROM, FROM + LIFE, digest));
	for (unsigned i = 0; i < 256; i++) {
		int64_t at;

		digest[0] = (uint8_t)i;
		at = renewal_time(FROM, FROM + LIFE, digest);
		assert_true(at > before);
		assert_true(at >= FROM + LIFE / 2 && at < FROM + LIFE / 3 * 2);
		before = at;
	}
	/* Spread over all of it. */
	assert_true(before > FROM + LIFE / 2 + LIFE / 7);
}

static void lives_of_any_length_are_counted(void **state)
{
	uint8_t digest[SHA256_SIZE] = {0xff, 0xff};

	(void)state;
	assert_int_equal(FROM, renewal_time(FROM, FROM, digest));
	assert_int_equal(FROM, renewal_time(FROM, FROM - 5, digest));
	assert_true(renewal_time(FROM, FROM + 3, digest) <= FROM + 2);
	/* To the end of the year 9999. */
	assert_true(renewal_time(0, INT64_C(253402300799), digest) < INT64_C(168934867200));
}

static void the_earliest_of_all_is_the_next(void **state)
{
	static struct held held;
	size_t which = 9;

	(void)state;
	held.wanted.n = 3;
	for (size_t i = 0; i < 3; i++)
		held.holdings[i] = (struct holding){
			.valid_from = FROM, .valid_until = FROM + LIFE - (i == 1 ? LIFE / 2 : 0)};
	assert_int_equal(FROM + LIFE / 4, renewal_next(&held, &which));
	assert_int_equal(1, which);
}

static void some_refusals_are_cured_by_an_enrollment(void **state)
{
	static const char *const cured[] = {
		"renewal-needs-enrollment", "route-unknown", "ek-expired", "ek-untrusted"};
	static const char *const not_cured[] = {"device-revoked", "name-not-allowed", "", "key-key",
		"template-not-allowed", "renewal-name-not-bound", "host-bound-to-another-device",
		"ak-superseded"};
	struct problem problem = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(cured); i++) {
		snprintf(problem.code, sizeof(problem.code), "%s", cured[i]);
		assert_true(renewal_needs_enrollment(&problem));
	}
	for (size_t i = 0; i < COUNT(not_cured); i++) {
		snprintf(problem.code, sizeof(problem.code), "%s", not_cured[i]);
		assert_false(renewal_needs_enrollment(&problem));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_due_between_a_half_and_two_thirds_of_its_life),
		cmocka_unit_test(lives_of_any_length_are_counted),
		cmocka_unit_test(the_earliest_of_all_is_the_next),
		cmocka_unit_test(some_refusals_are_cured_by_an_enrollment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
