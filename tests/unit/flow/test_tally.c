#include "enroll/flow/tally.h"

#include "tests/unit/check.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static struct attempt_counters view; /* 11 KiB */

static void add(struct tally *tally, const struct outcome *outcome, enum err err, const char *code)
{
	const struct caller caller = {"request", "192.0.2.7", 1800000000, NULL};
	const struct reason reason = {err, code, "clause", "sentence"};

	tally_add(tally, &caller, outcome, err, &reason);
}

static void each_answer_is_counted_as_what_it_was(void **state)
{
	static const char *const what[] = {
		"challenged", "issued", "issued", "returned", "repeated", "checked"};
	AUTO(tally_free) struct tally *tally = NULL;
	struct outcome outcome = {.what = ""};

	(void)state;
	assert_int_equal(OK, tally_make(1800000000, &tally));
	for (size_t i = 0; i < COUNT(what); i++) {
		outcome.what = what[i];
		add(tally, &outcome, OK, "");
	}
	tally_read(tally, &view);
	assert_int_equal(1800000000, view.since);
	assert_int_equal(1, view.tickets);
	assert_int_equal(2, view.issued);
	assert_int_equal(1, view.returned);
	assert_int_equal(1, view.repeated);
	assert_int_equal(0, view.refused);
	assert_int_equal(0, view.unproven_n);
}

static void whoever_proved_itself_with_an_ek_of_nobodys_is_a_stranger(void **state)
{
	AUTO(tally_free) struct tally *tally = NULL;
	AUTO(strangers_answer_free) struct strangers_answer strangers = {0};
	const struct outcome outcome = {.what = "", .is_proven = true, .is_nobodys = true};

	(void)state;
	assert_int_equal(OK, tally_make(0, &tally));
	add(tally, &outcome, ERR_LIMITED, "pending-limit");
	tally_read(tally, &view);
	assert_int_equal(0, view.refused);
	assert_int_equal(1, view.unproven_n);
	assert_int_equal(OK, tally_strangers(tally, 0, &strangers));
	assert_int_equal(1, strangers.n);
	assert_string_equal("pending-limit", strangers.items[0].reason);
}

static void proven_refusals_are_one_number_and_unproven_ones_have_their_reasons(void **state)
{
	AUTO(tally_free) struct tally *tally = NULL;
	struct outcome outcome = {.what = "", .is_proven = true};

	(void)state;
	assert_int_equal(OK, tally_make(0, &tally));
	add(tally, &outcome, ERR_DENIED, "name-not-allowed");
	outcome.is_unrecorded = true;
	add(tally, &outcome, ERR_DENIED, "name-not-allowed");
	add(tally, &outcome, ERR_BUSY, "database-unreachable");
	outcome = (struct outcome){.what = ""};
	add(tally, &outcome, ERR_INTERNAL, "crypto");
	add(tally, &outcome, ERR_DENIED, "ticket-expired");
	add(tally, &outcome, ERR_DENIED, "proof-invalid");
	add(tally, &outcome, ERR_DENIED, "proof-invalid");
	tally_read(tally, &view);
	assert_int_equal(2, view.refused);
	assert_int_equal(1, view.unrecorded);
	assert_int_equal(2, view.failed);
	assert_int_equal(2, view.unproven_n);
	assert_string_equal("proof-invalid", view.unproven[0].reason);
	assert_int_equal(2, view.unproven[0].n);
	assert_string_equal("ticket-expired", view.unproven[1].reason);
}

/* Nothing was refused; a check that would wait is not counted, like any check that nothing stands against. */
static void whoever_waits_for_an_admin_is_counted_for_itself(void **state)
{
	AUTO(tally_free) struct tally *tally = NULL;
	struct outcome outcome = {.what = "held", .is_proven = true};

	(void)state;
	assert_int_equal(OK, tally_make(0, &tally));
	add(tally, &outcome, ERR_PENDING, "pending-approval");
	outcome.what = "";
	add(tally, &outcome, ERR_PENDING, "pending-approval");
	tally_read(tally, &view);
	assert_int_equal(1, view.held);
	assert_int_equal(0, view.refused);
	assert_int_equal(0, view.unproven_n);
}

static void however_many_words_there_are_the_table_does_not_grow(void **state)
{
	AUTO(tally_free) struct tally *tally = NULL;
	const struct outcome outcome = {.what = ""};
	int64_t sum = 0;

	(void)state;
	assert_int_equal(OK, tally_make(0, &tally));
	for (int i = 0; i < 3 * ATTEMPT_REASONS; i++) {
		char reason[16];

		snprintf(reason, sizeof(reason), "r-%d", i);
		add(tally, &outcome, ERR_DENIED, reason);
	}
	tally_read(tally, &view);
	assert_int_equal(ATTEMPT_REASONS, view.unproven_n);
	assert_string_equal("other", view.unproven[0].reason);
	for (size_t i = 0; i < view.unproven_n; i++)
		sum += view.unproven[i].n;
	assert_int_equal(3 * ATTEMPT_REASONS, sum);
}

static void *add_many(void *tally)
{
	const struct outcome outcome = {.what = "challenged"};

	for (int i = 0; i < 10000; i++)
		add(tally, &outcome, i % 2 == 0 ? ERR_UNPROVEN : OK, "proof-invalid");
	return NULL;
}

static void threads_do_not_lose_each_others_counts(void **state)
{
	AUTO(tally_free) struct tally *tally = NULL;
	pthread_t threads[4];

	(void)state;
	assert_int_equal(OK, tally_make(0, &tally));
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(0, pthread_create(&threads[i], NULL, add_many, tally));
	for (size_t i = 0; i < COUNT(threads); i++)
		pthread_join(threads[i], NULL);
	tally_read(tally, &view);
	assert_int_equal(20000, view.unproven[0].n);
	assert_int_equal(20000, view.tickets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_proved_itself_with_an_ek_of_nobodys_is_a_stranger),
		cmocka_unit_test(each_answer_is_counted_as_what_it_was),
		cmocka_unit_test(
			proven_refusals_are_one_number_and_unproven_ones_have_their_reasons),
		cmocka_unit_test(whoever_waits_for_an_admin_is_counted_for_itself),
		cmocka_unit_test(however_many_words_there_are_the_table_does_not_grow),
		cmocka_unit_test(threads_do_not_lose_each_others_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
