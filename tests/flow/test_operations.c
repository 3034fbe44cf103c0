/* test_operations.c - what monitoring systems fetch and operators are shown of a running service. */
#include "ca/authority.h"
#include "ca/base/crypt.h"
#include "ca/base/encode.h"
#include "tests/flow/cluster.h"
#include "tests/flow/diagnosis.h"
#include "tests/flow/knock.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static struct world world;
static char *admin, *token_file;

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.services = 1}, &world);
	admin = text("http://127.0.0.1:%d", world.services[0].admin_port);
	token_file = text("%s/admin.token", world.dir);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	free(admin);
	free(token_file);
	world_free(&world);
	return 0;
}

static char *metrics(void)
{
	AUTO(httpc_answer_free) struct httpc_answer answer = {0};
	AUTO(mem_free) char *type = NULL;

	httpc_get(&world.services[0].admin, "/metrics", &answer);
	assert_int_equal(answer.status, 200);
	type = httpc_header(&answer, "Content-Type");
	assert_string_equal(type, "text/plain; version=0.0.4; charset=utf-8");
	return strdup(buf_text(&answer.body));
}

static void assert_metric(const char *line)
{
	AUTO(mem_free) char *all = metrics();

	if (strstr(all, line) == NULL)
		fail_msg("wanted \"%s\" in\n%s", line, all);
}

/* For wait_until(): what the service does in the background is done in a moment. */
static bool has_metric(void *line)
{
	AUTO(mem_free) char *all = metrics();

	return strstr(all, line) != NULL;
}

static void no_metric(const char *start)
{
	AUTO(mem_free) char *all = metrics();

	if (strstr(all, start) != NULL)
		fail_msg("there is \"%s\" in\n%s", start, all);
}

#define STATUS(output, ...)                                                                        \
	world_run(&world, output, "endorsectl", "status", "--admin", admin, "--token-file",        \
		token_file, ##__VA_ARGS__, NULL)

static void wants(const struct output *output, int code, const char *words)
{
	if (output->code != code || strstr(buf_text(&output->out), words) == NULL)
		fail_msg("exit %d, wanted %d and \"%s\":\n%s%s", output->code, code, words,
			buf_text(&output->out), buf_text(&output->err));
}

static void what_devices_were_answered_is_counted(void **state)
{
	AUTO(soft_device_free) struct soft_device device, other;
	AUTO(knock_free) struct knock knock;

	(void)state;
	stranger_of(&world, &world.maker, "web-1.example.test", &device);
	stranger_of(&world, &world.maker, "nobody.example.test", &other);
	assert_knock(&world, &device, 200, "");
	assert_knock(&world, &other, 403, "name-not-allowed");
	knock_init(&knock, &world, &device);
	assert_int_equal(knock_ticket(&knock), 200);
	knock.body.p[20] = knock.body.p[20] == 'A' ? 'B' : 'A';
	assert_int_equal(knock_enroll(&knock), 401);
	assert_metric("endorse_enrollments_total{route=\"/v1/ticket\",outcome=\"challenged\","
		      "reason=\"\"} 3\n");
	assert_metric("endorse_enrollments_total{route=\"/v1/enroll\",outcome=\"issued\","
		      "reason=\"\"} 1\n");
	assert_metric("endorse_enrollments_total{route=\"/v1/enroll\",outcome=\"refused\","
		      "reason=\"name-not-allowed\"} 1\n");
	assert_metric("endorse_tickets_refused_total{route=\"/v1/enroll\","
		      "reason=\"ticket-invalid\"} 1\n");
	assert_metric("endorse_http_request_duration_seconds_count{method=\"POST\","
		      "route=\"/v1/enroll\"} 3\n");
	assert_metric("endorse_certificate_expiry_timestamp_seconds{role=\"ca\",");
	assert_metric("endorse_certificate_expiry_timestamp_seconds{role=\"vendor-root\",");
	assert_metric("\nendorse_database_trips_total ");
	assert_metric("\nendorse_enrollments_per_transaction_bucket{le=\"1\"} 1\n");
	assert_metric("\nendorse_enrollments_per_transaction_bucket{le=\"8\"} 1\n");
	assert_metric("\nendorse_enrollments_per_transaction_sum 1\n");
	assert_metric("\nendorse_enrollments_per_transaction_count 1\n");
	assert_metric("\nendorse_enrollment_batches_failed_total 0\n");
	assert_metric("\nendorse_enrollments_waiting 0\n");
	assert_metric("\nendorse_database_up 1\n");
	assert_metric("\nendorse_ca_ready 1\n");
}

static void what_strangers_make_up_makes_no_metric(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer = {0};
		AUTO(mem_free) char *path = text("/made-up-%d", i);

		httpc_get(&world.services[0].peer, path, &answer);
		assert_int_equal(answer.status, 404);
	}
	assert_metric("{method=\"any\",route=\"none\",status=\"404\"} 20\n");
	no_metric("made-up");
}

static void status_tells_it_to_people(void **state)
{
	AUTO(output_free) struct output output, json, wrong;

	(void)state;
	STATUS(&output);
	wants(&output, 0, "  ready           yes\n");
	wants(&output, 0, "s: 1 issued, 0 returned, 0 repeated, 0 held, 1 refused, ");
	wants(&output, 0, "  ca              ends at ");
	wants(&output, 0, world.name);
	STATUS(&json, "--json");
	wants(&json, 0, "\"ready\":true");
	STATUS(&wrong, "more");
	assert_int_equal(wrong.code, 2);
}

/* The rows are what servers would have written. */
static void crls_that_are_late_are_told(void **state)
{
	static const struct {
		const char *sql, *metric, *status, *finding;
	} rows[] = {
		{"INSERT INTO crl_shard (issuer, shard) VALUES (decode(repeat('00', 32), 'hex'), "
		 "900)",
			"\nendorse_crl_shards_behind 1\n", "do not say yet what was revoked",
			"warn revocation 1 CRL(s) do not say yet"},
		{"UPDATE crl_shard SET published = changed, number = 1, der = '\\x00', this_update "
		 "= now() -"
		 " interval '2 h', next_update = now() - interval '1 h' WHERE shard = 900;"
		 "UPDATE certificate SET issuer = decode(repeat('00', 32), 'hex'), shard = 900;"
		 "UPDATE crl_shard SET published = changed",
			"\nendorse_crl_shards_overdue 1\n", "PAST THEIR NEXT UPDATE",
			"FAIL revocation 1 CRL(s) are past their next update"},
		{"UPDATE certificate SET not_after = now() - interval '3 h', not_before = now() -"
		 " interval '4 h'; UPDATE crl_shard SET published = changed",
			"\nendorse_crl_shards_overdue 0\n", "  CRLs ", "CRL(s), all up to date"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(output_free) struct output status, findings;

		free(sql_text(world.conninfo, "%s", rows[i].sql));
		if (!wait_until(has_metric, (void *)(uintptr_t)rows[i].metric, 10000))
			assert_metric(rows[i].metric);
		STATUS(&status);
		wants(&status, 0, rows[i].status);
		diagnose(&world, &findings, NULL);
		if (strstr(buf_text(&findings.out), rows[i].finding) == NULL)
			fail_msg("wanted \"%s\" in\n%s", rows[i].finding, buf_text(&findings.out));
	}
	free(sql_text(world.conninfo, "DELETE FROM crl_shard"));
}

/* The id of the CA that the service has, in hexadecimal. */
static void issuer_of(char out[static 2 * SHA256_SIZE + 1])
{
	AUTO(mem_free) char *certificate = text("%s/issuing.pem", world.ca);
	AUTO(mem_free) char *key = text("%s/issuing.key", world.ca);
	AUTO(mem_free) char *passphrase = text("%s/issuing.passphrase", world.ca);
	AUTO(authority_free) struct authority *authority = NULL;

	must(authority_load(certificate, key, passphrase, &authority) == OK, "%s", why()->sentence);
	hex_write((struct view){authority_id(authority), SHA256_SIZE}, out);
}

static void a_responder_that_nobody_renews_is_told(void **state)
{
	static const struct {
		const char *left, *finding;
	} rows[] = {
		{"1 day", "warn revocation the certificate that signs OCSP answers ends within"},
		{"-1 minute", "FAIL revocation the certificate that signs OCSP answers has ended"},
	};

	char ours[2 * SHA256_SIZE + 1];

	(void)state;
	issuer_of(ours);
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(output_free) struct output findings;

		/* Of the CA that the service has, and of one that it has not. */
		free(sql_text(world.conninfo,
			"DELETE FROM ocsp_responder; INSERT INTO ocsp_responder SELECT serial, "
			"decode(id, 'hex'), '\\x00', now() - interval '6 d', now() + interval "
			"'%s', "
			"now() FROM (VALUES ('\\x01'::bytea, '%s'), ('\\x02', repeat('00', 32))) "
			"AS "
			"made (serial, id)",
			rows[i].left, ours));
		diagnose(&world, &findings, NULL);
		if (strstr(buf_text(&findings.out), rows[i].finding) == NULL)
			fail_msg("wanted \"%s\" in\n%s", rows[i].finding, buf_text(&findings.out));
		assert_int_equal(1, lines_of(&findings, i == 0 ? "warn revocation" : "FAIL"));
	}
	no_metric("responder_expiry_timestamp_seconds{issuer=\"0000");
	free(sql_text(world.conninfo, "DELETE FROM ocsp_responder"));
}

static void without_the_database_the_rest_is_told(void **state)
{
	AUTO(output_free) struct output output;

	(void)state;
	cluster_stop();
	assert_metric("\nendorse_database_up 0\n");
	no_metric("endorse_crl_shards");
	STATUS(&output);
	cluster_start();
	wants(&output, 1, "  ready           NO: ");
	wants(&output, 1, "  database        DOES NOT ANSWER");
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(what_devices_were_answered_is_counted),
		cmocka_unit_test(what_strangers_make_up_makes_no_metric),
		cmocka_unit_test(status_tells_it_to_people),
		cmocka_unit_test(crls_that_are_late_are_told),
		cmocka_unit_test(a_responder_that_nobody_renews_is_told),
		cmocka_unit_test(without_the_database_the_rest_is_told),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
