/* test_now.c - with a database and a clock that stand in for both. */
#include "enroll/flow/revision.h"

#include "ca/base/clock.h"
#include "db/certificate_status.h"
#include "tests/unit/check.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
/* Under the lock. */
static int64_t now_ms;
static struct {
	int64_t number;
	enum err err;
	unsigned asked, asking;
	bool is_held; /* it says nothing until this is false */
} records;

static struct revision *revision;

int64_t clock_ms(void)
{
	int64_t now;

	pthread_mutex_lock(&lock);
	now = now_ms;
	pthread_mutex_unlock(&lock);
	return now;
}

enum err revocation_revision(struct db *db, int64_t *number)
{
	enum err err;

	(void)db;
	pthread_mutex_lock(&lock);
	records.asked++;
	records.asking++;
	pthread_cond_broadcast(&moved);
	while (records.is_held)
		pthread_cond_wait(&moved, &lock);
	records.asking--;
	*number = records.number;
	err = records.err;
	pthread_mutex_unlock(&lock);
	return err == OK ? OK : refuse(err, "away", "", "it is away");
}

static int make(void **state)
{
	(void)state;
	now_ms = 1000000;
	memset(&records, 0, sizeof(records));
	records.number = 3;
	return revision_make(NULL, &revision) == OK ? 0 : -1;
}

static int unmake(void **state)
{
	(void)state;
	revision_free(&revision);
	return 0;
}

/* -1: nobody knows. */
static int64_t now(void)
{
	int64_t number;

	return revision_now(revision, &number) ? number : -1;
}

static void it_is_read_at_most_every_half_second(void **state)
{
	(void)state;
	assert_int_equal(3, now());
	records.number = 4;
	now_ms += REVISION_STANDS_MS;
	assert_int_equal(3, now());
	assert_int_equal(1, records.asked);
	now_ms++;
	assert_int_equal(4, now());
	assert_int_equal(2, records.asked);
}

static void while_the_database_is_away_it_lasts_a_minute(void **state)
{
	(void)state;
	assert_int_equal(3, now());
	records.err = ERR_BUSY;
	now_ms += REVISION_OUTLASTS_MS;
	assert_int_equal(3, now());
	now_ms++;
	assert_int_equal(-1, now());
	/* It is not asked more often for that. */
	assert_int_equal(2, records.asked);
	now_ms += REVISION_STANDS_MS;
	assert_int_equal(-1, now());
	assert_int_equal(3, records.asked);
	records.err = OK;
	records.number = 9;
	now_ms += REVISION_STANDS_MS + 1;
	assert_int_equal(9, now());
}

static void what_was_never_read_is_not_known(void **state)
{
	(void)state;
	records.err = ERR_BUSY;
	assert_int_equal(-1, now());
	assert_int_equal(-1, now());
	assert_int_equal(1, records.asked);
}

static void *ask(void *out)
{
	*(int64_t *)out = now();
	return NULL;
}

static void hold(bool is_held)
{
	pthread_mutex_lock(&lock);
	records.is_held = is_held;
	pthread_cond_broadcast(&moved);
	pthread_mutex_unlock(&lock);
}

static void wait_until_it_is_asked(void)
{
	pthread_mutex_lock(&lock);
	while (records.asking == 0)
		pthread_cond_wait(&moved, &lock);
	pthread_mutex_unlock(&lock);
}

static void one_thread_reads_and_the_others_wait_for_it(void **state)
{
	pthread_t threads[4];
	int64_t numbers[4];

	(void)state;
	hold(true);
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(0, pthread_create(&threads[i], NULL, ask, &numbers[i]));
	wait_until_it_is_asked();
	hold(false);
	for (size_t i = 0; i < COUNT(threads); i++) {
		assert_int_equal(0, pthread_join(threads[i], NULL));
		assert_int_equal(3, numbers[i]);
	}
	assert_int_equal(1, records.asked);
}

static void where_it_has_failed_nobody_waits_for_the_next_try(void **state)
{
	pthread_t thread;
	int64_t number;

	(void)state;
	assert_int_equal(3, now());
	records.err = ERR_BUSY;
	now_ms += REVISION_STANDS_MS + 1;
	assert_int_equal(3, now());
	hold(true);
	now_ms += REVISION_STANDS_MS + 1;
	assert_int_equal(0, pthread_create(&thread, NULL, ask, &number));
	wait_until_it_is_asked();
	assert_int_equal(3, now());
	hold(false);
	assert_int_equal(0, pthread_join(thread, NULL));
	assert_int_equal(3, number);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make, unmake)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_read_at_most_every_half_second),
		TEST(while_the_database_is_away_it_lasts_a_minute),
		TEST(what_was_never_read_is_not_known),
		TEST(one_thread_reads_and_the_others_wait_for_it),
		TEST(where_it_has_failed_nobody_waits_for_the_next_try),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
