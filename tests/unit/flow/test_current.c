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
		replace(current, i);
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
		cmocka_unit_test(threads_hold_whole_snapshots_while_they_are_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
