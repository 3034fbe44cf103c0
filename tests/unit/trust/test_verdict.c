/* test_verdict.c - a chain is remembered as it was sent, for a while, and only where it was verified. */
#include "tests/unit/check.h"
#include "tests/unit/trust/pki.h"

#include "enroll/trust/verdict.h"

static const struct trust_verdict good = {
	.class = TRUST_OPERATOR_IMPORT, .source = "s", .chain = "c", .until = INT64_MAX};
static const uint8_t key[SHA256_SIZE] = {1, 2, 3};

static void verdicts_of_one(void **state, struct verdicts **verdicts)
{
	(void)state;
	*verdicts = verdicts_make(1);
	assert_non_null(*verdicts);
}

static void what_was_remembered_is_recalled_for_its_life_and_no_longer(void **state)
{
	static const struct {
		int64_t age;
		bool found;
	} rows[] = {{-1, false}, {0, true}, {VERDICT_LIFE, true}, {VERDICT_LIFE + 1, false}};
	AUTO(verdicts_free) struct verdicts *verdicts = NULL;
	struct trust_verdict got;

	verdicts_of_one(state, &verdicts);
	assert_false(verdict_recall(verdicts, key, 1000, &got));
	verdict_remember(verdicts, key, 1000, &good);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(
			verdict_recall(verdicts, key, 1000 + rows[i].age, &got), rows[i].found);
	assert_string_equal(got.source, "s");
	assert_string_equal(got.chain, "c");
}

/* At the moment itself the one may be before it and the other after it. */
static void when_anything_begins_or_ends_it_is_verified_again(void **state)
{
	static const struct {
		int64_t until, now;
		bool found;
	} rows[] = {{1010, 1009, true}, {1010, 1010, false}, {1010, 1011, false},
		{1000, 1000, true}, {1000, 1001, false}};

	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(verdicts_free) struct verdicts *verdicts = NULL;
		struct trust_verdict verdict = good, got;

		verdicts_of_one(state, &verdicts);
		verdict.until = rows[i].until;
		verdict_remember(verdicts, key, 1000, &verdict);
		assert_int_equal(verdict_recall(verdicts, key, rows[i].now, &got), rows[i].found);
	}
}

static void another_chain_in_the_same_place_is_not_taken_for_it(void **state)
{
	AUTO(verdicts_free) struct verdicts *verdicts = NULL;
	uint8_t other[SHA256_SIZE];
	struct trust_verdict got;

	verdicts_of_one(state, &verdicts);
	verdict_remember(verdicts, key, 1000, &good);
	for (size_t i = 0; i < SHA256_SIZE; i++) {
		memcpy(other, key, sizeof(other));
		other[i] ^= 1;
		assert_false(verdict_recall(verdicts, other, 1000, &got));
	}
	verdict_remember(verdicts, other, 1000, &good);
	assert_false(verdict_recall(verdicts, key, 1000, &got));
}

static void a_key_is_of_everything_that_is_asked_but_the_time(void **state)
{
	AUTO(world_free) struct world world;
	const struct view a = view_str("a"), ab[] = {view_str("a"), view_str("b")},
			  joined = view_str("ab");
	struct trust_question asked[8], later;
	uint8_t keys[COUNT(asked)][SHA256_SIZE], again[SHA256_SIZE];

	(void)state;
	world_make(&world);
	for (size_t i = 0; i < COUNT(asked); i++)
		asked[i] = QUESTION(world.leaf);
	asked[1].sent = &a, asked[1].sent_n = 1;
	asked[2].sent = ab, asked[2].sent_n = 2;
	asked[3].sent = &joined, asked[3].sent_n = 1;
	asked[4].takes_expired = true;
	asked[5].manufacturer = "id:53544D20";
	asked[6].version = "id:00000001";
	asked[7].leaf = world.ca;
	for (size_t i = 0; i < COUNT(keys); i++) {
		assert_ok(verdict_key(&asked[i], keys[i]));
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(keys[i], keys[k], SHA256_SIZE);
	}
	later = asked[0];
	later.now++;
	assert_ok(verdict_key(&later, again));
	assert_memory_equal(keys[0], again, SHA256_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_remembered_is_recalled_for_its_life_and_no_longer),
		cmocka_unit_test(when_anything_begins_or_ends_it_is_verified_again),
		cmocka_unit_test(another_chain_in_the_same_place_is_not_taken_for_it),
		cmocka_unit_test(a_key_is_of_everything_that_is_asked_but_the_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
