/* test_verdict.c - a chain is remembered as it was sent, for a while, and only where it was verified. */
#include "tests/unit/check.h"
#include "tests/unit/tpm/pki.h"

#include "enroll/tpm/verdict.h"

static const struct trust_verdict good = {
	.class = TRUST_OPERATOR_IMPORT, .source = "s", .chain = "c"};
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

static void a_key_is_of_the_leaf_and_all_that_came_with_it(void **state)
{
	AUTO(world_free) struct world world;
	const struct view a = view_str("a"), ab[] = {view_str("a"), view_str("b")},
			  joined = view_str("ab");
	uint8_t keys[4][SHA256_SIZE];

	(void)state;
	world_make(&world);
	assert_ok(verdict_key(world.leaf, NULL, 0, keys[0]));
	assert_ok(verdict_key(world.leaf, &a, 1, keys[1]));
	assert_ok(verdict_key(world.leaf, ab, 2, keys[2]));
	assert_ok(verdict_key(world.leaf, &joined, 1, keys[3]));
	for (size_t i = 0; i < COUNT(keys); i++)
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(keys[i], keys[k], SHA256_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_remembered_is_recalled_for_its_life_and_no_longer),
		cmocka_unit_test(another_chain_in_the_same_place_is_not_taken_for_it),
		cmocka_unit_test(a_key_is_of_the_leaf_and_all_that_came_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
