#include "enroll/flow/strangers.h"

#include "tests/unit/check.h"

#include <stdio.h>
#include <string.h>

static void come(struct strangers *strangers, const char *from, const char *host, const char *code)
{
	static int64_t now = 1800000000;
	const struct caller caller = {"request", from, now++, NULL};
	const struct reason reason = {ERR_REJECTED, code, "clause", "sentence"};
	struct outcome outcome = {.what = ""};

	snprintf(outcome.host, sizeof(outcome.host), "%s", host);
	strangers_add(strangers, &caller, &outcome, &reason);
}

static void who_comes_again_is_one_entry_that_counts(void **state)
{
	AUTO(strangers_free) struct strangers *strangers = NULL;
	AUTO(strangers_answer_free) struct strangers_answer answer = {0};

	(void)state;
	assert_int_equal(OK, strangers_make(&strangers));
	come(strangers, "192.0.2.1", "a.example.org", "ek-untrusted");
	come(strangers, "192.0.2.1", "b.example.org", "ek-untrusted");
	come(strangers, "192.0.2.1", "a.example.org", "ek-expired");
	come(strangers, "192.0.2.2", "a.example.org", "ek-untrusted");
	come(strangers, "192.0.2.1", "a.example.org", "ek-untrusted");
	assert_int_equal(OK, strangers_read(strangers, 0, &answer));
	assert_int_equal(4, answer.n);
	assert_int_equal(5, answer.next);
	assert_int_equal(2, answer.items[3].count);
	assert_int_equal(5, answer.items[3].number);
	assert_int_equal(4, answer.items[3].at - answer.items[3].first_at);
	assert_string_equal("a.example.org", answer.items[3].host);
}

static void who_has_seen_some_gets_the_others(void **state)
{
	AUTO(strangers_free) struct strangers *strangers = NULL;
	AUTO(strangers_answer_free) struct strangers_answer answer = {0}, none = {0};

	(void)state;
	assert_int_equal(OK, strangers_make(&strangers));
	come(strangers, "192.0.2.1", "a.example.org", "ek-untrusted");
	come(strangers, "192.0.2.1", "b.example.org", "ek-untrusted");
	assert_int_equal(OK, strangers_read(strangers, 1, &answer));
	assert_int_equal(1, answer.n);
	assert_string_equal("b.example.org", answer.items[0].host);
	assert_int_equal(OK, strangers_read(strangers, answer.next, &none));
	assert_int_equal(0, none.n);
}

static bool has_from(const struct strangers_answer *answer, const char *from)
{
	for (size_t i = 0; i < answer->n; i++)
		if (strcmp(answer->items[i].from, from) == 0)
			return true;
	return false;
}

static void one_who_tries_many_things_does_not_push_the_others_out(void **state)
{
	AUTO(strangers_free) struct strangers *strangers = NULL;
	AUTO(strangers_answer_free) struct strangers_answer answer = {0};
	char host[32];

	(void)state;
	assert_int_equal(OK, strangers_make(&strangers));
	come(strangers, "192.0.2.1", "honest.example.org", "ek-untrusted");
	for (int i = 0; i < 3 * STRANGERS_MAX; i++) {
		snprintf(host, sizeof(host), "h%d.example.org", i);
		come(strangers, "198.51.100.1", host, "ek-untrusted");
	}
	assert_int_equal(OK, strangers_read(strangers, 0, &answer));
	assert_int_equal(STRANGERS_MAX, answer.n);
	assert_true(has_from(&answer, "192.0.2.1"));
	assert_string_equal(host, answer.items[answer.n - 1].host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_comes_again_is_one_entry_that_counts),
		cmocka_unit_test(who_has_seen_some_gets_the_others),
		cmocka_unit_test(one_who_tries_many_things_does_not_push_the_others_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
