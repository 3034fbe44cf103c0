#include "enroll/flow/current.h"

#include "tests/unit/check.h"

#include <pthread.h>

static struct service *service_of(unsigned number)
{
	struct service *service = calloc(1, sizeof(*service));

	assert_non_null(service);
	service->live_aks_max = number;
	service->drain = number;
	return service;
}

static struct current *current_of(unsigned number)
{
	struct service *first = service_of(number);
	struct current *current = NULL;

	assert_ok(current_make(&first, &current));
	assert_null(first);
	return current;
}

static void replace(struct current *current, unsigned number)
{
	struct service *next = service_of(number);

	current_replace(current, &next);
	assert_null(next);
}

static void who_took_a_snapshot_keeps_it_over_a_replacement(void **state)
{
	AUTO(current_free) struct current *current = current_of(1);
	struct service *before = current_take(current), *after;

	(void)state;
	replace(current, 2);
	after = current_take(current);
	assert_int_equal(1, before->live_aks_max);
	assert_int_equal(2, after->live_aks_max);
	replace(current, 3);
	assert_int_equal(1, before->live_aks_max);
	current_release(current, &after);
	assert_null(after);
	assert_int_equal(1, before->live_aks_max);
	current_release(current, &before);
}

static void a_snapshot_may_be_held_by_many(void **state)
{
	AUTO(current_free) struct current *current = current_of(1);
	struct service *a = current_take(current), *b = current_take(current);

	(void)state;
	assert_ptr_equal(a, b);
	replace(current, 2);
	current_release(current, &a);
	assert_int_equal(1, b->live_aks_max);
	current_release(current, &b);
}

static void releasing_nothing_does_nothing(void **state)
{
	AUTO(current_free) struct current *current = current_of(1);
	struct service *nothing = NULL;

	(void)state;
	current_release(current, &nothing);
	assert_null(nothing);
}

/* Today's, with another trust set: the same numbers. */
static void derive(struct current *current, int64_t revision)
{
	struct service *made = current_take_made(current), *next = NULL;
	struct trust *trust = NULL;
	const struct imported_state imported = {.revision = revision};

	assert_ok(current_derive(&made, &trust, &imported, &next));
	assert_null(made);
	current_replace(current, &next);
}

static void a_derived_snapshot_holds_the_one_that_it_borrows_from(void **state)
{
	AUTO(current_free) struct current *current = current_of(1);
	struct service *made, *derived;

	(void)state;
	derive(current, 7);
	derived = current_take(current);
	assert_int_equal(7, derived->imported.revision);
	assert_int_equal(1, derived->live_aks_max);
	made = derived->parent;
	assert_non_null(made);
	assert_null(made->parent);
	assert_int_equal(0, made->imported.revision);
	/* The next one is made of the same, and not of the one before it. */
	derive(current, 8);
	assert_ptr_equal(made, derived->parent);
	current_release(current, &derived);
	derived = current_take(current);
	assert_ptr_equal(made, derived->parent);
	/* A reload: both go, as soon as nobody has the derived one. */
	replace(current, 2);
	assert_int_equal(1, derived->parent->live_aks_max);
	current_release(current, &derived);
}

static void one_that_nobody_has_seen_takes_what_it_was_made_of_with_it(void **state)
{
	struct service *made = service_of(1), *derived = NULL;
	struct trust *trust = NULL;

	(void)state;
	assert_ok(current_derive(&made, &trust, &(struct imported_state){0}, &derived));
	service_free(&derived);
	assert_null(derived);
}

#define THREADS 8
#define ROUNDS 5000

/* Both numbers are of one snapshot, or it was freed or changed while we held it. */
static void *hold_on(void *arg)
{
	struct current *current = arg;
	size_t odd = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct service *held = current_take(current);

		odd += held->live_aks_max != held->drain;
		current_release(current, &held);
	}
	return (void *)(uintptr_t)odd;
}

static void threads_hold_whole_snapshots_while_they_are_replaced(void **state)
{
	AUTO(current_free) struct current *current = current_of(0);
	pthread_t threads[THREADS];

	(void)state;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(0, pthread_create(&threads[i], NULL, hold_on, current));
	for (unsigned i = 1; i < ROUNDS; i++)
		if (i % 3 == 0)
			replace(current, i);
		else
			derive(current, i);
	for (size_t i = 0; i < THREADS; i++) {
		void *odd = NULL;

		pthread_join(threads[i], &odd);
		assert_null(odd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_took_a_snapshot_keeps_it_over_a_replacement),
		cmocka_unit_test(a_snapshot_may_be_held_by_many),
		cmocka_unit_test(releasing_nothing_does_nothing),
		cmocka_unit_test(a_derived_snapshot_holds_the_one_that_it_borrows_from),
		cmocka_unit_test(one_that_nobody_has_seen_takes_what_it_was_made_of_with_it),
		cmocka_unit_test(threads_hold_whole_snapshots_while_they_are_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
