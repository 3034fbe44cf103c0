/* test_weather.c - PostgreSQL restarted, away, frozen or without connections, while devices enroll. */
#include "tests/flow/cluster.h"
#include "tests/flow/supervise.h"
#include "tests/flow/weather.h"

#include <cmocka.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICES 12

static struct world world;

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.pgproxy = true}, &world);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	return 0;
}

static void strike(const struct fault *fault)
{
	weather_strikes(&world, DEVICES, fault);
}

static void stop_fast(struct world *w)
{
	(void)w;
	cluster_stop_by(SIGINT);
}

static void start_again(struct world *w)
{
	(void)w;
	cluster_start();
}

static void a_server_stopped_and_started_again(void **state)
{
	(void)state;
	strike(&(struct fault){
		"stopped", stop_fast, start_again, "database-unreachable", DEVICES, 0});
}

/* The postmaster then ends all the others, and goes through recovery. */
static void kill_a_backend(struct world *w)
{
	long pid = sql_number(w->conninfo,
		"SELECT pid FROM pg_stat_activity WHERE application_name = 'endorsed' AND datname "
		"= current_database() LIMIT 1");

	assert_true(pid > 0);
	assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
}

static bool is_back(void *arg)
{
	return PQping(arg) == PQPING_OK;
}

static void wait_for_recovery(struct world *w)
{
	assert_true(wait_until(is_back, w->conninfo, 20000));
}

static void a_server_that_crashed_and_recovers(void **state)
{
	(void)state;
	strike(&(struct fault){"crashed", kill_a_backend, wait_for_recovery, NULL, 0, 0});
}

static void cut(struct world *w)
{
	pgproxy_set(w->pgproxy, PGPROXY_CUT);
}

static void stall(struct world *w)
{
	pgproxy_set(w->pgproxy, PGPROXY_STALL);
}

static void pass(struct world *w)
{
	pgproxy_set(w->pgproxy, PGPROXY_PASS);
}

static void connections_that_are_cut(void **state)
{
	(void)state;
	strike(&(struct fault){"cut", cut, pass, "database-unreachable", DEVICES, 0});
}

static char *socket_path(struct world *w, const char *suffix)
{
	return text("%s/pg/.s.PGSQL.5432%s", w->dir, suffix);
}

static void move_socket(struct world *w, const char *from, const char *to)
{
	AUTO(mem_free) char *old = socket_path(w, from), *new = socket_path(w, to);

	assert_int_equal(rename(old, new), 0);
}

static void terminate_all(struct world *w)
{
	sql_number(w->conninfo, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
				" WHERE application_name = 'endorsed'");
}

static void take_socket(struct world *w)
{
	move_socket(w, "", ".away");
	terminate_all(w);
}

static void bring_socket(struct world *w)
{
	move_socket(w, ".away", "");
}

static void a_socket_that_is_gone(void **state)
{
	(void)state;
	strike(&(struct fault){
		"socket gone", take_socket, bring_socket, "database-unreachable", DEVICES, 0});
}

/* Connections stay and nothing moves: what has been sent is waited for, but not for ever. */
static void a_server_that_is_frozen(void **state)
{
	(void)state;
	weather_strikes(&world, 40,
		&(struct fault){"frozen", stall, pass, "database-unreachable", 40, 30000});
}

#define HOGS 200
static PGconn *hogs[HOGS];
static size_t hogs_n;

/* Until the server has none left. */
static void hog_all(struct world *w)
{
	terminate_all(w);
	for (unsigned refused = 0; hogs_n < HOGS && refused < 20;) {
		PGconn *hog = PQconnectdb(w->conninfo);

		if (PQstatus(hog) == CONNECTION_OK) {
			hogs[hogs_n++] = hog;
			continue;
		}
		PQfinish(hog);
		refused++;
		/* The service may have been faster. */
		if (refused < 20 && hogs_n > 0)
			PQclear(PQexec(hogs[0],
				"SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
				" WHERE application_name = 'endorsed'"));
	}
}

static void let_go(size_t left)
{
	while (hogs_n > left)
		PQfinish(hogs[--hogs_n]);
}

static void let_all_go(struct world *w)
{
	(void)w;
	let_go(0);
}

static void a_server_without_a_connection_left(void **state)
{
	(void)state;
	strike(&(struct fault){
		"no connection left", hog_all, let_all_go, "database-unreachable", DEVICES, 0});
}

static void terminate_often(struct world *w)
{
	for (unsigned i = 0; i < 20; i++)
		terminate_all(w);
}

static void nothing(struct world *w)
{
	(void)w;
}

static void sessions_that_are_terminated(void **state)
{
	(void)state;
	strike(&(struct fault){"terminated", terminate_often, nothing, NULL, 0, 0});
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(a_server_stopped_and_started_again),
		cmocka_unit_test(a_server_that_crashed_and_recovers),
		cmocka_unit_test(connections_that_are_cut),
		cmocka_unit_test(a_socket_that_is_gone),
		cmocka_unit_test(a_server_that_is_frozen),
		cmocka_unit_test(a_server_without_a_connection_left),
		cmocka_unit_test(sessions_that_are_terminated),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
