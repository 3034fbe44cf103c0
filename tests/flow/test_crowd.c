/* test_crowd.c - whom the edge sends away while a service has its hands full, for how long, and who goes first. */
#include "tests/flow/gate.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TICKET "/v1/ticket"
#define STEP_US 66667 /* of the row, while the service does next to nothing */
#define SLACK_US 50000 /* the edge's clock is that of its last round */
#define LAST_S 120 /* the row's end */

static struct world world;
static struct gate gate;
static size_t came; /* to the gate, as the test reckons */

static int make(void **state)
{
	static const char *const env[] = {"ENDORSE_BACKEND_MAXCONN=1", "ENDORSE_EDGE_QUEUE=1",
		"ENDORSE_EDGE_MAXCONN=64", "ENDORSE_EDGE_SOURCE_RATE=100000", NULL};

	(void)state;
	world_make(&(struct world_plan){.edge = true, .edge_env = env}, &world);
	world_edge_stop(&world);
	world_service_stop(&world, 0, SIGTERM);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	return 0;
}

/* Each begins with an edge that remembers nobody. */
static int begin(void **state)
{
	(void)state;
	came = 0;
	gate_open(&gate, world.services[0].port);
	world_edge_start(&world);
	return 0;
}

static int finish(void **state)
{
	(void)state;
	world_edge_stop(&world);
	gate_close(&gate);
	return 0;
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void say(struct httpc *httpc, const char *path)
{
	AUTO(mem_free)
	char *request = text("POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
			     "application/json\r\nContent-Length: 2\r\n\r\n{}",
		path);

	assert_true(httpc_send(httpc, view_str(request)));
}

static void say_newly(struct httpc *httpc, const char *path)
{
	must(httpc_open(httpc, &world.front, 10000), "the edge takes no connection");
	say(httpc, path);
}

/* What somebody was told. */
struct told {
	int status;
	int64_t after; /* seconds; -1: not said */
	bool closes;
	int64_t from_us, to_us; /* when that was */
};

static struct told hear(struct httpc *httpc)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;
	AUTO(mem_free) char *after = NULL, *connection = NULL;

	assert_true(httpc_receive(httpc, &answer, 10000));
	after = httpc_header(&answer, "Retry-After");
	connection = httpc_header(&answer, "Connection");
	return (struct told){.status = answer.status,
		.after = after == NULL ? -1 : strtol(after, NULL, 10),
		.closes = connection != NULL && strcasecmp(connection, "close") == 0};
}

static struct told ask(struct httpc *httpc)
{
	const int64_t from = now_us();
	struct told told;

	say(httpc, TICKET);
	told = hear(httpc);
	told.from_us = from - SLACK_US;
	told.to_us = now_us();
	return told;
}

static struct told ask_newly(void)
{
	struct httpc httpc;
	struct told told;

	must(httpc_open(&httpc, &world.front, 10000), "the edge takes no connection");
	told = ask(&httpc);
	httpc_close(&httpc);
	return told;
}

/* Where a backend stands in "# pxname,svname,qcur,...". */
static bool queue_is(void *wanted)
{
	AUTO(mem_free) char *all = world_edge_says(&world, "show stat endorsed 2 -1");
	const char *line = strstr(all, "\nendorsed,BACKEND,");

	must(line != NULL, "no backend in: %s", all);
	return strtol(line + strlen("\nendorsed,BACKEND,"), NULL, 10) == *(const long *)wanted;
}

static void wait_for_queue(long n)
{
	if (!wait_until(queue_is, &n, 5000))
		fail_msg("the queue is never %ld long", n);
}

/* One at the service and one behind it, who has 10 s before the edge gives up: nobody else finds room. */
struct jam {
	struct httpc first, second;
};

static void jam_make(struct jam *jam)
{
	say_newly(&jam->first, TICKET);
	assert_true(gate_sees(&gate, ++came));
	say_newly(&jam->second, TICKET);
	wait_for_queue(1);
}

static void jam_free(struct jam *jam)
{
	httpc_close(&jam->first);
	httpc_close(&jam->second);
}

/* The next free moment of the row, as nearly as it can be known from outside. */
struct row {
	int64_t low, high; /* by now_us() */
	int64_t low_step, high_step;
};

static void row_moves_to(struct row *row, int64_t seconds)
{
	AUTO(mem_free)
	char *line = text("experimental-mode on; set var proc.row expr date(0,us),add(%lld)",
		(long long)seconds * 1000000);
	AUTO(mem_free) char *answer = NULL;

	row->low = now_us() + seconds * 1000000 - SLACK_US;
	answer = world_edge_says(&world, line);
	must(strspn(answer, "\n") == strlen(answer), "%s", answer);
	row->high = now_us() + seconds * 1000000;
}

/* Somebody is told a moment, and the row goes on. */
static void row_gives(struct row *row, const struct told *told)
{
	int64_t low, high;

	row->low = row->low > told->from_us ? row->low : told->from_us;
	row->high = row->high > told->to_us ? row->high : told->to_us;
	low = (row->low - told->to_us) / 1000000;
	high = (row->high - told->from_us) / 1000000;
	low = low < 1 ? 1 : low;
	high = high < 1 ? 1 : high;
	assert_int_equal(told->status, 503);
	/* Who comes when the row is full is told a moment of the second minute. */
	if (high > LAST_S)
		assert_in_range(told->after, LAST_S / 2 + 1, LAST_S);
	else if (told->after < low || told->after > high)
		fail_msg("told %lld s, wanted %lld to %lld", (long long)told->after, (long long)low,
			(long long)high);
	row->low += high <= LAST_S ? row->low_step : 0;
	row->high += low <= LAST_S ? row->high_step : 0;
}

static struct row row_of(int64_t low_step, int64_t high_step)
{
	return (struct row){.low_step = low_step, .high_step = high_step};
}

static void each_is_told_the_next_moment_of_a_row(void **state)
{
	struct row row = row_of(STEP_US, STEP_US);
	struct told told = {0};
	struct jam jam;

	(void)state;
	jam_make(&jam);
	for (int i = 0; i < 100; i++) {
		told = ask_newly();
		row_gives(&row, &told);
	}
	/* Unless asking itself took as long. */
	assert_true(told.after > 1 || row.low < now_us() + 2000000);
	jam_free(&jam);
}

static bool is_past(void *moment)
{
	return now_us() > *(const int64_t *)moment;
}

/* The herd was served an hour ago, and there is another: nobody waits for the first, nor do all come at once. */
static void a_row_that_has_ended_begins_anew(void **state)
{
	struct row row = row_of(STEP_US, STEP_US);
	struct jam jam;

	(void)state;
	jam_make(&jam);
	row_moves_to(&row, -3600);
	for (int i = 0; i < 50; i++) {
		const struct told told = ask_newly();

		row_gives(&row, &told);
	}
	jam_free(&jam);
}

/* However many ask: who comes after them waits for two minutes and no longer. */
static void the_row_ends_in_two_minutes(void **state)
{
	bool heard[LAST_S + 1] = {0};
	struct row row = row_of(STEP_US, STEP_US);
	unsigned moments = 0;
	int64_t later;
	struct jam jam;

	(void)state;
	jam_make(&jam);
	row_moves_to(&row, LAST_S - 1);
	for (int i = 0; i < 150; i++) {
		const struct told told = ask_newly();

		row_gives(&row, &told);
		assert_in_range(told.after, LAST_S / 2 + 1, LAST_S);
		moments += !heard[told.after];
		heard[told.after] = true;
	}
	assert_true(moments >= 20);
	/* The hundred that found it full have not made it longer: a second and a half later it has room again. */
	later = now_us() + 1500000;
	assert_true(wait_until(is_past, &later, 10000));
	for (int i = 0; i < 10; i++) {
		const struct told told = ask_newly();

		row_gives(&row, &told);
		assert_true(told.after >= LAST_S - 2);
	}
	jam_free(&jam);
}

/* Lets so many requests through, one after the other. */
static void serve_many(unsigned n)
{
	struct httpc httpc;

	gate_let(&gate, SIZE_MAX / 2);
	must(httpc_open(&httpc, &world.front, 10000), "the edge takes no connection");
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(ask(&httpc).status, 200);
	httpc_close(&httpc);
	gate_shut(&gate);
	came += n;
}

/* Held up for a moment, it has served nobody in the last second; what counts then is the last ten. */
static void moments_are_as_dense_as_devices_were_served(void **state)
{
	struct row row = row_of(1333333 / 46, 1333333 / 25);
	struct jam jam;
	int64_t quiet;

	(void)state;
	serve_many(400);
	quiet = now_us() + 2100000;
	assert_true(wait_until(is_past, &quiet, 10000));
	jam_make(&jam);
	for (int i = 0; i < 100; i++) {
		const struct told told = ask_newly();

		row_gives(&row, &told);
	}
	jam_free(&jam);
}

/* A second counts more than the ten in which there was less to do, or a herd's first thousands would sleep for too long. */
static bool moments_are_as_dense_as_in_the_last_second(void)
{
	const int64_t began = now_us();
	struct row row = row_of(1, 1333333 / 20);
	struct jam jam;

	serve_many(200);
	jam_make(&jam);
	for (int i = 0; i < 45; i++) {
		const struct told told = ask_newly();
		const int64_t left = 1000000 - (told.to_us - began);

		if (left > 200000)
			row.high_step = 1333333 * 1000000LL / (200 * left);
		row_gives(&row, &told);
	}
	jam_free(&jam);
	return now_us() - began < 800000;
}

static void what_was_served_just_now_counts_for_more(void **state)
{
	bool was_quick = false;

	/* What it did is forgotten within a second, so a machine that is busy has to try again. */
	for (int i = 0; i < 10 && !was_quick; i++) {
		was_quick = moments_are_as_dense_as_in_the_last_second();
		finish(state);
		begin(state);
	}
	assert_true(was_quick);
}

/* Whoever asks for a ticket is sent away, and whoever brings one back goes before those who wait. */
static void who_has_a_ticket_goes_first_and_is_never_sent_away(void **state)
{
	static const char *const rows[] = {"/v1/enroll", "/v1/renew"};
	struct httpc enrolling[COUNT(rows)], renewing;
	char path[GATE_PATH];
	struct jam jam;

	(void)state;
	jam_make(&jam);
	say_newly(&renewing, "/v1/renew/ticket");
	assert_int_equal(hear(&renewing).status, 503);
	for (size_t i = 0; i < COUNT(rows); i++) {
		say_newly(&enrolling[i], rows[i]);
		wait_for_queue(2 + (long)i);
	}
	for (size_t i = 0; i < COUNT(rows); i++) {
		gate_let(&gate, 1);
		assert_true(gate_sees(&gate, ++came));
		gate_path(&gate, came, path);
		assert_string_equal(path, rows[i]);
	}
	gate_let(&gate, 2);
	assert_true(gate_sees(&gate, ++came));
	gate_path(&gate, came, path);
	assert_string_equal(path, TICKET);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(hear(&enrolling[i]).status, 200);
		httpc_close(&enrolling[i]);
	}
	httpc_close(&renewing);
	jam_free(&jam);
}

static void who_kept_the_moment_is_taken_once(void **state)
{
	struct httpc patient;
	struct told told;
	int64_t moment;
	struct jam jam;

	(void)state;
	jam_make(&jam);
	must(httpc_open(&patient, &world.front, 10000), "the edge takes no connection");
	told = ask(&patient);
	assert_int_equal(told.status, 503);
	assert_false(told.closes);
	moment = told.to_us + told.after * 1000000 + SLACK_US;
	assert_true(wait_until(is_past, &moment, 10000));
	/* Whoever comes now without having been told is sent away all the same. */
	assert_int_equal(ask_newly().status, 503);
	say(&patient, TICKET);
	wait_for_queue(2);
	gate_let(&gate, 2);
	assert_true(gate_sees(&gate, came += 2));
	assert_int_equal(hear(&jam.first).status, 200);
	assert_int_equal(hear(&jam.second).status, 200);
	/* Now that it is at the service, another fills the queue. */
	say(&jam.first, TICKET);
	wait_for_queue(1);
	gate_let(&gate, 1);
	assert_int_equal(hear(&patient).status, 200);
	assert_true(gate_sees(&gate, ++came));
	say(&jam.second, TICKET);
	wait_for_queue(1);
	assert_int_equal(ask(&patient).status, 503);
	httpc_close(&patient);
	jam_free(&jam);
}

/* It gets no better moment, and takes none from others. */
static void who_does_not_wait_is_told_the_same_moment_however_often(void **state)
{
	struct row row = row_of(STEP_US, STEP_US);
	struct httpc hasty;
	struct told first, told;
	struct jam jam;
	int64_t rest;

	(void)state;
	jam_make(&jam);
	row_moves_to(&row, 10);
	must(httpc_open(&hasty, &world.front, 10000), "the edge takes no connection");
	first = ask(&hasty);
	row_gives(&row, &first);
	for (int i = 0; i < 2000; i++) {
		told = ask(&hasty);
		assert_int_equal(told.status, 503);
		rest = first.from_us + first.after * 1000000 - told.to_us;
		assert_true(told.after * 1000000 >= rest);
		assert_in_range(told.after, 1, first.after + 1);
	}
	told = ask_newly();
	row_gives(&row, &told);
	httpc_close(&hasty);
	jam_free(&jam);
}

/* A connection is kept for who comes before the edge would close it, as long as there is room for others. */
static void only_connections_of_those_who_come_soon_are_kept(void **state)
{
	static const struct {
		int64_t wait;
		bool closes;
	} rows[] = {{11, false}, {16, true}};
	struct row row = row_of(STEP_US, STEP_US);
	struct httpc idle[48];
	struct told told;
	struct jam jam;

	(void)state;
	jam_make(&jam);
	for (size_t i = 0; i < COUNT(rows); i++) {
		row_moves_to(&row, rows[i].wait);
		told = ask_newly();
		row_gives(&row, &told);
		assert_int_equal(told.closes, rows[i].closes);
	}
	row_moves_to(&row, 5);
	for (size_t i = 0; i < COUNT(idle); i++)
		must(httpc_open(&idle[i], &world.front, 10000), "the edge takes no connection");
	told = ask_newly();
	row_gives(&row, &told);
	assert_true(told.closes);
	for (size_t i = 0; i < COUNT(idle); i++)
		httpc_close(&idle[i]);
	jam_free(&jam);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, begin, finish)
		T(each_is_told_the_next_moment_of_a_row),
		T(a_row_that_has_ended_begins_anew),
		T(the_row_ends_in_two_minutes),
		T(moments_are_as_dense_as_devices_were_served),
		T(what_was_served_just_now_counts_for_more),
		T(who_has_a_ticket_goes_first_and_is_never_sent_away),
		T(who_kept_the_moment_is_taken_once),
		T(who_does_not_wait_is_told_the_same_moment_however_often),
		T(only_connections_of_those_who_come_soon_are_kept),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
