/* test_parts.c - the parts that other flow tests stand on: chips, maker, database, proxy. */
#include "tests/flow/cluster.h"
#include "tests/flow/device.h"
#include "tests/flow/pgproxy.h"
#include "tests/flow/process.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void a_program_is_captured_and_its_exit_code_kept(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	process_run(&(struct program){.input = "in",
			    .env = (const char *const[]){"WORD=a b", NULL},
			    .argv = (const char *const[]){"sh", "-c",
				    "cat; echo \" $WORD\"; echo oops >&2; exit 7", NULL}},
		&output);
	assert_string_equal(buf_text(&output.out), "in a b\n");
	assert_string_equal(buf_text(&output.err), "oops\n");
	assert_int_equal(output.code, 7);
}

static void a_program_that_takes_too_long_is_killed(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	process_run(&(struct program){.timeout_ms = 50,
			    .argv = (const char *const[]){"sleep", "60", NULL}},
		&output);
	assert_int_equal(output.code, 128 + SIGKILL);
}

static void a_chip_has_certificates_and_takes_one_for_its_p256_ek(void **state)
{
	AUTO(mem_free) char *dir = text("%s/maker", supervise_dir());
	AUTO(buf_free) struct buf rsa = BUF(8192), p256 = BUF(8192);
	struct maker maker;
	struct device device;
	struct chip chips[2];

	(void)state;
	maker_init(&maker, dir, "Demo");
	chips_make(&maker, supervise_dir(), chips, COUNT(chips));
	for (size_t i = 0; i < COUNT(chips); i++) {
		device_open(&device, chips[i].tcti);
		assert_true(device_nv_read(&device, 0x01c00002, &rsa));
		assert_false(device_nv_read(&device, 0x01c0000a, &p256));
		device_certify(&device, KEY_P256, &maker, NULL);
		assert_true(device_nv_read(&device, 0x01c0000a, &p256));
		device_close(&device);
		chip_free(&chips[i]);
		buf_free(&p256);
	}
	maker_free(&maker);
}

static void note(void *arg)
{
	*(bool *)arg = true;
}

static char *proxied(const char *name, struct pgproxy **proxy)
{
	AUTO(mem_free) char *dir = text("%s/%s", supervise_dir(), name);

	assert_int_equal(mkdir(dir, 0755), 0);
	*proxy = pgproxy_start(dir, cluster_socket());
	return cluster_conninfo(dir, "postgres");
}

static void the_proxy_counts_and_cuts(void **state)
{
	struct pgproxy *proxy;
	AUTO(mem_free) char *conninfo = proxied("proxy-a", &proxy);

	(void)state;
	assert_int_equal(sql_number(conninfo, "SELECT 42"), 42);
	assert_int_equal(pgproxy_count(proxy, 'Q'), 1);
	assert_int_equal(pgproxy_count(proxy, 0), 1);
	pgproxy_set(proxy, PGPROXY_CUT);
	assert_int_equal(PQping(conninfo), PQPING_NO_RESPONSE);
	pgproxy_set(proxy, PGPROXY_PASS);
	assert_int_equal(PQping(conninfo), PQPING_OK);
	pgproxy_stop(&proxy);
}

/* Sends one pipeline with a prepared statement that adds a row; true when it was answered. */
static bool add_row(PGconn *connection)
{
	PGresult *result;
	bool good;

	assert_int_equal(PQenterPipelineMode(connection), 1);
	assert_int_equal(
		PQsendPrepare(connection, "add", "INSERT INTO caught VALUES (1)", 0, NULL), 1);
	assert_int_equal(PQsendQueryPrepared(connection, "add", 0, NULL, NULL, NULL, 0), 1);
	assert_int_equal(PQpipelineSync(connection), 1);
	for (int nulls = 0; nulls < 2;) {
		result = PQgetResult(connection);
		nulls += result == NULL;
		PQclear(result);
		if (PQstatus(connection) == CONNECTION_BAD)
			break;
	}
	result = PQgetResult(connection);
	good = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
	PQclear(result);
	return good;
}

static void caught_at(const char *name, enum pgproxy_point point, long rows)
{
	struct pgproxy *proxy;
	AUTO(mem_free) char *conninfo = proxied(name, &proxy);
	AUTO(mem_free) char *direct = cluster_conninfo(cluster_socket(), "postgres");
	PGconn *connection;
	bool called = false;

	free(sql_text(direct, "CREATE TABLE caught (x int)"));
	connection = PQconnectdb(conninfo);
	assert_int_equal(PQstatus(connection), CONNECTION_OK);
	pgproxy_trap(proxy, point, "INSERT INTO caught", note, &called);
	assert_false(add_row(connection));
	assert_true(pgproxy_sprung(proxy));
	assert_true(called);
	assert_int_equal(sql_number(direct, "SELECT count(*) FROM caught"), rows);
	PQfinish(connection);
	free(sql_text(direct, "DROP TABLE caught"));
	pgproxy_stop(&proxy);
}

static void the_proxy_catches_a_transaction_before_its_commit(void **state)
{
	(void)state;
	caught_at("proxy-b", PGPROXY_BEFORE_COMMIT, 0);
}

static void the_proxy_withholds_the_answer_after_the_commit(void **state)
{
	(void)state;
	caught_at("proxy-c", PGPROXY_AFTER_COMMIT, 1);
}

static void the_database_comes_back_after_a_crash(void **state)
{
	AUTO(mem_free) char *conninfo = cluster_conninfo(cluster_socket(), "postgres");

	(void)state;
	cluster_stop();
	assert_int_equal(PQping(conninfo), PQPING_NO_RESPONSE);
	cluster_start();
	assert_int_equal(sql_number(conninfo, "SELECT 1"), 1);
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(a_program_is_captured_and_its_exit_code_kept),
		cmocka_unit_test(a_program_that_takes_too_long_is_killed),
		cmocka_unit_test(a_chip_has_certificates_and_takes_one_for_its_p256_ek),
		cmocka_unit_test(the_proxy_counts_and_cuts),
		cmocka_unit_test(the_proxy_catches_a_transaction_before_its_commit),
		cmocka_unit_test(the_proxy_withholds_the_answer_after_the_commit),
		cmocka_unit_test(the_database_comes_back_after_a_crash),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}

int main(void)
{
	return supervise(tests);
}
