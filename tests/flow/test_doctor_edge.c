/* test_doctor_edge.c - each thing that can be wrong with the TLS edge, alone, seen from outside. */
#include "tests/flow/diagnosis.h"
#include "tests/flow/supervise.h"
#include "tests/flow/timed.h"

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char policy[] = "rules:\n"
			     "  - name: any\n"
			     "    hosts: [{glob: \"web-*.example.test\"}]\n"
			     "    ek_kinds: [rsa2048]\n"
			     "    templates: [ak]\n";

static struct world world;

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.edge = true, .policy = policy}, &world);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	return 0;
}

#define DAYS(n) ((n)*86400L)

static void an_edge_certificate_that_ends_soon_is_a_warning(void **state)
{
	AUTO(mem_free) char *pem = text("%s/edge.pem", world.dir);
	AUTO(mem_free) char *kept = text("%s/edge.kept", world.dir);
	AUTO(output_free) struct output output;

	(void)state;
	assert_int_equal(rename(pem, kept), 0);
	timed_edge(world.ca, pem, "DNS:localhost", DAYS(9) + 60);
	world_edge_stop(&world);
	world_edge_start(&world);
	diagnose(&world, &output, "--ca", world.roots, NULL);
	assert_int_equal(rename(kept, pem), 0);
	world_edge_stop(&world);
	world_edge_start(&world);
	finds_only(&output, "warn", "the edge's certificate ends in 9 days");
}

static void an_edge_that_is_not_there_is_told(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	world_edge_stop(&world);
	diagnose(&world, &output, "--ca", world.roots, NULL);
	world_edge_start(&world);
	finds_only(&output, "FAIL", "devices do not reach it");
}

static void an_edge_with_another_secret_is_told(void **state)
{
	AUTO(mem_free) char *sent = world.secret;
	AUTO(output_free) struct output output;

	(void)state;
	world_edge_stop(&world);
	world.secret = text("%064d", 7);
	/* /healthz wants no secret, so the edge is up; what devices ask would be refused. */
	world_edge_start(&world);
	diagnose(&world, &output, "--ca", world.roots, NULL);
	world_edge_stop(&world);
	free(world.secret);
	world.secret = MOVE(sent);
	world_edge_start(&world);
	finds_only(&output, "FAIL", "the edge's secret is another");
}

/* A TLS server that is no edge: it answers whatever it is asked. */
static pid_t serve(const char *pem, int port)
{
	AUTO(mem_free) char *at = text("127.0.0.1:%d", port);
	AUTO(mem_free) char *log = text("%s/s_server.log", world.dir);

	return process_start(&(struct program){.log = log,
		.argv = (const char *const[]){"openssl", "s_server", "-accept", at, "-cert", pem,
			"-key", pem, "-cert_chain", pem, "-www", NULL}});
}

static void look_at_server(
	const char *names, long seconds, const char *roots, struct output *output)
{
	AUTO(mem_free) char *pem = text("%s/server.pem", world.dir);
	int port = free_port();
	AUTO(mem_free) char *url = text("https://localhost:%d", port);
	pid_t pid;

	timed_edge(world.ca, pem, names, seconds);
	pid = serve(pem, port);
	assert_true(wait_until(httpc_listens, &port, 10000));
	diagnose(&world, output, "--ca", roots, "--edge", url, NULL);
	process_stop(&pid, SIGKILL);
}

static void an_edge_certificate_that_no_device_would_take_is_told(void **state)
{
	AUTO(mem_free) char *other = text("%s/roots/root.pem", world.maker.dir);
	AUTO(mem_free) char *none = text("%s/admin.token", world.dir);
	const struct {
		const char *names;
		long seconds;
		const char *roots, *words;
	} rows[] = {
		{"DNS:localhost", -60, world.roots, "has expired"},
		{"DNS:other.example.test", DAYS(300), world.roots, "localhost"},
		{"DNS:localhost", DAYS(300), other, "devices do not trust it"},
		{"DNS:localhost", DAYS(300), none, "holds no certificate in PEM"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(output_free) struct output output;

		look_at_server(rows[i].names, rows[i].seconds, rows[i].roots, &output);
		finds_only(&output, "FAIL", rows[i].words);
	}
}

static void an_edge_that_lets_strangers_further_is_told(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	look_at_server("DNS:localhost", DAYS(300), world.roots, &output);
	assert_int_equal(output.code, 1);
	assert_int_equal(lines_of(&output, "FAIL "), 6);
	assert_int_equal(lines_of(&output, "FAIL edge       strangers reach /"), 5);
}

static void an_edge_without_a_service_behind_it_is_told(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	world_service_stop(&world, 0, SIGTERM);
	diagnose(&world, &output, "--ca", world.roots, "--edge", world.name, NULL);
	restart(&world);
	assert_int_equal(output.code, 1);
	assert_non_null(
		strstr(buf_text(&output.out), "FAIL edge       /healthz is answered with 503"));
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(an_edge_certificate_that_ends_soon_is_a_warning),
		cmocka_unit_test(an_edge_that_is_not_there_is_told),
		cmocka_unit_test(an_edge_with_another_secret_is_told),
		cmocka_unit_test(an_edge_certificate_that_no_device_would_take_is_told),
		cmocka_unit_test(an_edge_that_lets_strangers_further_is_told),
		cmocka_unit_test(an_edge_without_a_service_behind_it_is_told),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
