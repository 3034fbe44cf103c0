#include "db/company.h"

#include "ca/base/clock.h"
#include "ca/base/mem.h"
#include "tests/unit/check.h"

#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FEW 2
#define CROWD (FEW + 2 * COMPANY_MAX)

/* Work that stands still until it is let go, and notes who came in which company. */
static struct work {
	pthread_mutex_t mutex;
	pthread_cond_t moved;
	bool is_open;
	unsigned inside, alone, together, most;
	enum err outcome; /* of what is done together */
	const unsigned *bad; /* fails, alone and together */
	const unsigned *leaves; /* stands still no more */
} work;

static struct company company;

static void enter(const unsigned *who)
{
	pthread_mutex_lock(&work.mutex);
	work.inside++;
	pthread_cond_broadcast(&work.moved);
	while (!work.is_open && !(who != NULL && who == work.leaves))
		pthread_cond_wait(&work.moved, &work.mutex);
}

static enum err leave(enum err err)
{
	pthread_mutex_unlock(&work.mutex);
	return err == OK ? OK : refuse(err, "together", "", "all of us");
}

static enum err do_together(void *context, const void *const *what, size_t n)
{
	enum err err;

	enter(NULL);
	err = *(const enum err *)context;
	work.together++;
	work.most = n > work.most ? (unsigned)n : work.most;
	for (size_t i = 0; i < n; i++)
		if (what[i] == work.bad)
			err = ERR_CONFLICT;
	for (size_t i = 0; i < n && err == OK; i++)
		++*(unsigned *)what[i];
	return leave(err);
}

static enum err do_alone(void *context, const void *what)
{
	bool is_bad;

	(void)context;
	enter(what);
	is_bad = what == work.bad;
	work.alone++;
	if (!is_bad)
		++*(unsigned *)what;
	pthread_mutex_unlock(&work.mutex);
	return is_bad ? refuse(ERR_CONFLICT, "alone", "", "only this one") : OK;
}

struct comer {
	pthread_t thread;
	unsigned done;
	enum err err;
	char code[32];
};

static void *come(void *of_comer)
{
	const struct company_work how = {do_together, do_alone, &work.outcome};
	struct comer *comer = of_comer;

	comer->err = company_run(&company, &how, &comer->done);
	snprintf(comer->code, sizeof(comer->code), "%s", comer->err == OK ? "" : why()->code);
	return NULL;
}

static void begin(unsigned many)
{
	work = (struct work){.mutex = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
	company_init(&company, FEW, many);
}

static void send(struct comer *comers, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		comers[i] = (struct comer){.done = 0};
		assert_int_equal(0, pthread_create(&comers[i].thread, NULL, come, &comers[i]));
	}
}

static void until_inside(unsigned n)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 20;
	pthread_mutex_lock(&work.mutex);
	while (work.inside < n)
		assert_int_equal(0, pthread_cond_timedwait(&work.moved, &work.mutex, &end));
	pthread_mutex_unlock(&work.mutex);
}

static void let_go(struct comer *comers, unsigned n)
{
	pthread_mutex_lock(&work.mutex);
	work.is_open = true;
	pthread_cond_broadcast(&work.moved);
	pthread_mutex_unlock(&work.mutex);
	for (unsigned i = 0; i < n; i++)
		pthread_join(comers[i].thread, NULL);
	company_destroy(&company);
}

/* Two are at it and stand still; then a crowd comes, of which two lead all others when they were patient. */
static void send_crowd(struct comer comers[static CROWD])
{
	begin(FEW + 2);
	send(comers, FEW);
	until_inside(FEW);
	send(comers + FEW, CROWD - FEW);
	until_inside(FEW + 1);
}

static void who_comes_to_few_goes_alone_at_once(void **state)
{
	struct comer comers[FEW];

	(void)state;
	begin(FEW);
	send(comers, FEW);
	until_inside(FEW);
	let_go(comers, FEW);
	assert_int_equal(FEW, work.alone);
	assert_int_equal(0, work.together);
}

static void who_comes_to_more_shares(void **state)
{
	struct comer comers[CROWD];

	(void)state;
	send_crowd(comers);
	let_go(comers, CROWD);
	assert_true(work.together >= 1);
	assert_in_range(work.most, 2, COMPANY_MAX);
	for (unsigned i = 0; i < CROWD; i++) {
		assert_int_equal(OK, comers[i].err);
		assert_int_equal(1, comers[i].done);
	}
}

static void one_that_fails_takes_nobody_with_it(void **state)
{
	struct comer comers[CROWD];

	(void)state;
	send_crowd(comers);
	pthread_mutex_lock(&work.mutex);
	work.bad = &comers[CROWD - 3].done;
	pthread_mutex_unlock(&work.mutex);
	let_go(comers, CROWD);
	for (unsigned i = 0; i < CROWD; i++) {
		bool is_bad = i == CROWD - 3;

		assert_int_equal(is_bad ? ERR_CONFLICT : OK, comers[i].err);
		assert_string_equal(is_bad ? "alone" : "", comers[i].code);
		assert_int_equal(!is_bad, comers[i].done);
	}
}

static void what_keeps_the_database_from_answering_is_everybodys(void **state)
{
	struct comer comers[CROWD];
	unsigned refused = 0;

	(void)state;
	send_crowd(comers);
	pthread_mutex_lock(&work.mutex);
	work.outcome = ERR_BUSY;
	pthread_mutex_unlock(&work.mutex);
	let_go(comers, CROWD);
	for (unsigned i = 0; i < CROWD; i++) {
		refused += comers[i].err == ERR_BUSY;
		assert_string_equal(comers[i].err == OK ? "" : "together", comers[i].code);
		assert_int_equal(comers[i].err == OK, comers[i].done);
	}
	assert_true(refused >= 2);
}

static unsigned waiting(void)
{
	struct company_counts counts;

	company_count(&company, &counts);
	return counts.waiting;
}

static void until_waiting(unsigned n)
{
	int64_t end = clock_ms() + 20000;

	while (waiting() < n)
		assert_true(clock_ms() < end);
}

static void until_patience_is_over(void)
{
	int64_t over = clock_ms() + 2 * COMPANY_PATIENCE_MS;

	while (clock_ms() < over)
		sched_yield();
}

/* Nobody of those at it ever gets through; then those do who were patient, as many as there is room for. */
static void who_is_held_up_long_enough_begins_too(void **state)
{
	struct comer comers[FEW + 2];
	struct company_counts counts;

	(void)state;
	begin(FEW + 1);
	send(comers, FEW);
	until_inside(FEW);
	send(comers + FEW, 1);
	until_inside(FEW + 1);
	send(comers + FEW + 1, 1);
	until_waiting(1);
	company_count(&company, &counts);
	assert_int_equal(FEW + 1, counts.began[1]);
	let_go(comers, FEW + 2);
	assert_int_equal(FEW + 2, work.alone);
	assert_int_equal(0, work.together);
}

/* All connections are in use: whoever is through hands over to those whose patience is over too. */
static void who_finds_all_in_use_waits_until_one_is_through(void **state)
{
	struct comer comers[FEW + 1 + COMPANY_MAX];

	(void)state;
	begin(FEW);
	send(comers, FEW);
	until_inside(FEW);
	send(comers + FEW, 1 + COMPANY_MAX);
	until_waiting(1 + COMPANY_MAX);
	until_patience_is_over();
	assert_int_equal(1 + COMPANY_MAX, waiting());
	let_go(comers, COUNT(comers));
	for (unsigned i = 0; i < COUNT(comers); i++)
		assert_int_equal(1, comers[i].done);
	assert_int_equal(FEW + 1, company.counts.began[1]);
	assert_int_equal(1, company.counts.began[COMPANY_MAX]);
	assert_int_equal(0, company.counts.apart);
	assert_int_equal(0, company.counts.waiting);
}

/* Of three who are at it two never get through: what the third leaves is for who was patient meanwhile. */
static void who_was_patient_takes_the_place_that_is_left(void **state)
{
	struct comer comers[FEW + 2];

	(void)state;
	begin(FEW + 1);
	send(comers, FEW);
	until_inside(FEW);
	send(comers + FEW, 1);
	until_inside(FEW + 1);
	send(comers + FEW + 1, 1);
	until_waiting(1);
	until_patience_is_over();
	pthread_mutex_lock(&work.mutex);
	work.leaves = &comers[FEW].done;
	pthread_cond_broadcast(&work.moved);
	pthread_mutex_unlock(&work.mutex);
	until_inside(FEW + 2);
	let_go(comers, FEW + 2);
}

/* Many threads, again and again, with work that takes nothing, a little, or longer than anybody is patient. */
enum { THREADS = 48, ROUNDS = 150, MANY = 5 };

static struct rush {
	struct company company;
	_Atomic unsigned inside, most, done, twice, lost;
} rush;

static void take_a_while(unsigned random)
{
	unsigned us = random % 100 == 0 ? (COMPANY_PATIENCE_MS + 30) * 1000
		      : random % 3 == 0 ? 0
					: random % 2000;
	struct timespec while_ = {.tv_nsec = us * 1000L};

	if (us > 0)
		nanosleep(&while_, NULL);
}

struct task {
	unsigned random;
	_Atomic unsigned done;
};

static enum err rush_alone(void *context, const void *what)
{
	struct task *task = (struct task *)(uintptr_t)what;

	(void)context;
	take_a_while(task->random);
	task->done++;
	return OK;
}

static enum err rush_together(void *context, const void *const *what, size_t n)
{
	const struct task *first = what[0];
	unsigned inside = ++rush.inside;

	(void)context;
	if (inside > rush.most)
		rush.most = inside;
	take_a_while(first->random);
	rush.inside--;
	if (first->random % 7 == 0)
		return refuse(ERR_CONFLICT, "together", "", "one of us");
	for (size_t i = 0; i < n; i++)
		((struct task *)(uintptr_t)what[i])->done++;
	return OK;
}

static void *rush_along(void *of_seed)
{
	static const struct company_work how = {rush_together, rush_alone, NULL};
	unsigned seed = *(unsigned *)of_seed;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct task task = {.random = (unsigned)rand_r(&seed)};

		rush.lost += company_run(&rush.company, &how, &task) != OK;
		rush.done += task.done;
		rush.twice += task.done > 1;
	}
	return NULL;
}

/* Who waits in vain would wait for ever, and this with him. */
static void nobody_is_forgotten_in_a_rush(void **state)
{
	pthread_t threads[THREADS];
	unsigned seeds[THREADS];
	struct company_counts counts;
	uint64_t begun = 0;

	(void)state;
	company_init(&rush.company, FEW, MANY);
	for (unsigned i = 0; i < THREADS; i++) {
		seeds[i] = i + 1;
		assert_int_equal(0, pthread_create(&threads[i], NULL, rush_along, &seeds[i]));
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	company_count(&rush.company, &counts);
	company_destroy(&rush.company);
	assert_int_equal(THREADS * ROUNDS, rush.done);
	assert_int_equal(0, rush.twice);
	assert_int_equal(0, rush.lost);
	assert_in_range(rush.most, 1, MANY);
	assert_int_equal(0, counts.waiting);
	assert_true(counts.apart > 0);
	for (unsigned i = 1; i <= COMPANY_MAX; i++)
		begun += i * counts.began[i];
	assert_int_equal(THREADS * ROUNDS, begun);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_comes_to_few_goes_alone_at_once),
		cmocka_unit_test(who_comes_to_more_shares),
		cmocka_unit_test(one_that_fails_takes_nobody_with_it),
		cmocka_unit_test(what_keeps_the_database_from_answering_is_everybodys),
		cmocka_unit_test(who_is_held_up_long_enough_begins_too),
		cmocka_unit_test(who_finds_all_in_use_waits_until_one_is_through),
		cmocka_unit_test(who_was_patient_takes_the_place_that_is_left),
		cmocka_unit_test(nobody_is_forgotten_in_a_rush),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
