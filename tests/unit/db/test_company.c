#include "db/company.h"

#include "tests/unit/check.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

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
} work;

static struct company company;

static void enter(void)
{
	pthread_mutex_lock(&work.mutex);
	work.inside++;
	pthread_cond_broadcast(&work.moved);
	while (!work.is_open)
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

	enter();
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
	enter();
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_comes_to_few_goes_alone_at_once),
		cmocka_unit_test(who_comes_to_more_shares),
		cmocka_unit_test(one_that_fails_takes_nobody_with_it),
		cmocka_unit_test(what_keeps_the_database_from_answering_is_everybodys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
