#include "tests/bench/endorse-bench/usage.h"
#include "tests/unit/check.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS UINT64_C(1000000)

static uint64_t own_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000 * MS + (uint64_t)t.tv_nsec;
}

/* By the process' own clock, so that a busy machine makes it longer and not less. */
static void burn(unsigned ms)
{
	uint64_t end = own_ns() + ms * MS;

	while (own_ns() < end)
		;
}

/* A process that burns when it is told to, and says when it has. */
struct burner {
	pid_t pid;
	int orders, news;
};

/* What orders mean: burn 50 ms; have a child burn 100 ms and wait for it; have one and not wait; wait for it. */
enum { BURN = 'b', CHILD = 'c', LEAVE = 'l', WAIT = 'w' };

static pid_t have_child(char order)
{
	pid_t child = fork();

	if (child == 0) {
		burn(100);
		alarm(60);
		if (order == LEAVE)
			pause();
		_exit(0);
	}
	if (order == CHILD)
		waitpid(child, NULL, 0);
	return child;
}

static void obey(int orders, int news)
{
	char order;

	while (read(orders, &order, 1) == 1) {
		pid_t child = 0;

		if (order == BURN)
			burn(50);
		else if (order == WAIT)
			waitpid(-1, NULL, 0);
		else
			child = have_child(order);
		if (write(news, &child, sizeof(child)) != (ssize_t)sizeof(child))
			_exit(1);
	}
	_exit(0);
}

static void burner_start(struct burner *burner)
{
	int orders[2], news[2];

	assert_int_equal(pipe(orders), 0);
	assert_int_equal(pipe(news), 0);
	burner->pid = fork();
	assert_true(burner->pid >= 0);
	if (burner->pid == 0) {
		close(orders[1]);
		close(news[0]);
		obey(orders[0], news[1]);
	}
	close(orders[0]);
	close(news[1]);
	burner->orders = orders[1];
	burner->news = news[0];
}

/* The child that it had, if any. */
static pid_t burner_does(const struct burner *burner, char order)
{
	pid_t child;

	assert_int_equal(write(burner->orders, &order, 1), 1);
	assert_int_equal(read(burner->news, &child, sizeof(child)), sizeof(child));
	return child;
}

static void burner_end(struct burner *burner)
{
	kill(burner->pid, SIGKILL); /* a later one has its pipe too */
	close(burner->orders);
	close(burner->news);
	waitpid(burner->pid, NULL, 0);
}

static void watch(struct usage *usage, const char *name, pid_t pid)
{
	char spec[64];

	snprintf(spec, sizeof(spec), "%s=%d", name, (int)pid);
	assert_ok(usage_watch(usage, spec));
}

/* At least what was burnt, and not by much more: what a process does beside that is little. */
static void assert_about(uint64_t ns, unsigned ms)
{
	assert_in_range(ns, (ms - 11) * MS, (ms + 40) * MS); /* a tick of a child may be missing */
}

static void since_then(
	struct usage *usage, const struct usage_taken *before, struct usage_taken *since)
{
	struct usage_taken after;

	assert_ok(usage_take(usage, &after));
	usage_since(before, &after, since);
}

/* Begins to watch it. */
static void watch_burner(struct burner *burner, struct usage **usage, struct usage_taken *before)
{
	burner_start(burner);
	assert_ok(usage_make(usage));
	watch(*usage, "burner", burner->pid);
	assert_ok(usage_take(*usage, before));
}

static void cpu_time_of_a_process_is_counted_between_two_takes(void **state)
{
	AUTO(usage_free) struct usage *usage = NULL;
	struct usage_taken before, since;
	struct burner burner;

	(void)state;
	burner_start(&burner);
	burner_does(&burner, BURN);
	assert_ok(usage_make(&usage));
	watch(usage, "burner", burner.pid);
	assert_ok(usage_take(usage, &before));
	since_then(usage, &before, &since);
	assert_true(since.groups[0].cpu_ns < 5 * MS); /* a sanitizer may wake */
	burner_does(&burner, BURN);
	since_then(usage, &before, &since);
	assert_about(since.groups[0].cpu_ns, 50);
	assert_int_equal(since.groups[0].processes, 1);
	assert_true(since.groups[0].rss_kib > 0);
	assert_true(since.groups[0].peak_kib >= since.groups[0].rss_kib);
	assert_true(since.at_ns > 0);
	burner_end(&burner);
}

static void a_child_counts_that_came_and_went_between_two_takes(void **state)
{
	AUTO(usage_free) struct usage *usage = NULL;
	struct usage_taken before, since;
	struct burner burner;

	(void)state;
	watch_burner(&burner, &usage, &before);
	burner_does(&burner, CHILD);
	since_then(usage, &before, &since);
	assert_about(since.groups[0].cpu_ns, 100);
	assert_int_equal(since.groups[0].processes, 1);
	burner_end(&burner);
}

static bool has_processes(struct usage *usage, const char *name, unsigned n)
{
	struct usage_taken taken;

	assert_ok(usage_take(usage, &taken));
	return usage_named(&taken, name)->processes == n;
}

static void a_child_that_lives_is_counted_and_still_is_when_it_was_killed(void **state)
{
	pid_t child;
	AUTO(usage_free) struct usage *usage = NULL;
	struct usage_taken before, since;
	struct burner burner;

	(void)state;
	watch_burner(&burner, &usage, &before);
	child = burner_does(&burner, LEAVE);
	do {
		since_then(usage, &before, &since);
	} while (since.groups[0].cpu_ns < 100 * MS);
	assert_int_equal(since.groups[0].processes, 2);
	assert_int_equal(kill(child, SIGKILL), 0);
	burner_does(&burner, BURN);
	since_then(usage, &before, &since);
	assert_about(since.groups[0].cpu_ns, 150);
	/* Its parent tells of it in ticks, which are less. */
	assert_ok(usage_take(usage, &before));
	burner_does(&burner, WAIT);
	since_then(usage, &before, &since);
	assert_in_range(since.groups[0].cpu_ns, 0, 20 * MS);
	assert_int_equal(since.groups[0].processes, 1);
	burner_end(&burner);
}

static void groups_are_apart_and_may_have_several_processes(void **state)
{
	AUTO(usage_free) struct usage *usage = NULL;
	struct usage_taken before, since;
	struct burner burners[3];
	char spec[64];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		burner_start(&burners[i]);
	assert_ok(usage_make(&usage));
	watch(usage, "edge", burners[0].pid);
	snprintf(spec, sizeof(spec), "service=%d,%d", (int)burners[1].pid, (int)burners[2].pid);
	assert_ok(usage_watch(usage, spec));
	assert_true(has_processes(usage, "service", 2));
	assert_ok(usage_take(usage, &before));
	burner_does(&burners[1], BURN);
	burner_does(&burners[2], BURN);
	since_then(usage, &before, &since);
	/* Not none: a sanitizer may have a thread of its own, which wakes. */
	assert_true(usage_named(&since, "edge")->cpu_ns < 5 * MS);
	assert_about(usage_named(&since, "service")->cpu_ns, 100);
	assert_null(usage_named(&since, "postgres"));
	for (size_t i = 0; i < 3; i++)
		burner_end(&burners[i]);
}

static void a_named_process_that_has_ended_is_told(void **state)
{
	AUTO(usage_free) struct usage *usage = NULL;
	struct usage_taken taken;
	struct burner burner;

	(void)state;
	burner_start(&burner);
	assert_ok(usage_make(&usage));
	watch(usage, "burner", burner.pid);
	burner_end(&burner);
	assert_refused(usage_take(usage, &taken), ERR_NOT_FOUND, "usage-process");
}

static void a_spec_of_another_form_is_refused(void **state)
{
	static const struct {
		const char *spec;
		enum err err;
		const char *code;
	} specs[] = {
		{"edge", ERR_MALFORMED, "usage-watch"}, {"=1", ERR_MALFORMED, "usage-watch"},
		{"Edge=1", ERR_MALFORMED, "usage-watch"},
		{"a-name-of-twenty-four-xy=1", ERR_MALFORMED, "usage-watch"},
		{"edge=", ERR_MALFORMED, "usage-watch"}, {"edge=1,", ERR_MALFORMED, "usage-watch"},
		{"edge=1;2", ERR_MALFORMED, "usage-watch"},
		{"edge=-1", ERR_MALFORMED, "usage-watch"},
		{"edge=4194305", ERR_NOT_FOUND, "usage-process"}, /* above PID_MAX_LIMIT */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(specs); i++) {
		AUTO(usage_free) struct usage *usage = NULL;

		assert_ok(usage_make(&usage));
		assert_refused_in(specs[i].spec, usage_watch(usage, specs[i].spec), specs[i].err,
			specs[i].code);
	}
}

static void a_name_is_given_once_and_there_are_eight_groups(void **state)
{
	AUTO(usage_free) struct usage *usage = NULL;
	char spec[64];

	(void)state;
	assert_ok(usage_make(&usage));
	for (int i = 0; i < USAGE_GROUPS; i++) {
		snprintf(spec, sizeof(spec), "group-%d=%d", i, (int)getpid());
		assert_ok(usage_watch(usage, spec));
		if (i == 0)
			assert_refused(usage_watch(usage, spec), ERR_MALFORMED, "usage-watch");
	}
	snprintf(spec, sizeof(spec), "one-more=%d", (int)getpid());
	assert_refused(usage_watch(usage, spec), ERR_TOO_LARGE, "too-large");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cpu_time_of_a_process_is_counted_between_two_takes),
		cmocka_unit_test(a_child_counts_that_came_and_went_between_two_takes),
		cmocka_unit_test(a_child_that_lives_is_counted_and_still_is_when_it_was_killed),
		cmocka_unit_test(groups_are_apart_and_may_have_several_processes),
		cmocka_unit_test(a_named_process_that_has_ended_is_told),
		cmocka_unit_test(a_spec_of_another_form_is_refused),
		cmocka_unit_test(a_name_is_given_once_and_there_are_eight_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
