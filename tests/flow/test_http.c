/* test_http.c - what the service takes on loopback, and from whom. */
#include "enroll/proto/problem.h"
#include "tests/flow/dialogue.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static struct world world;
static const struct httpc_peer *service;

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.services = 1}, &world);
	service = &world.services[0].peer;
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	world_free(&world);
	return 0;
}

/* The same place without the edge's secret; `headers` are the test's own. */
static struct httpc_peer stranger(const char *headers)
{
	return (struct httpc_peer){.port = world.services[0].port, .headers = headers};
}

static void assert_problem(const struct httpc_answer *answer, int status, const char *code)
{
	AUTO(mem_free) char *type = httpc_header(answer, "Content-Type");
	struct problem problem = {0};

	assert_int_equal(answer->status, status);
	assert_string_equal(type, "application/problem+json");
	assert_int_equal(problem_parse(buf_view(&answer->body), &problem), OK);
	assert_string_equal(problem.code, code);
	assert_int_equal(problem.status, status);
	assert_int_equal(strlen(problem.request_id), 32);
}

/* Sends these very bytes, ends its side when asked to, and reads the answer. */
static void sends(
	const struct httpc_peer *peer, const char *bytes, bool ends, int status, const char *code)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;
	struct httpc httpc;

	assert_true(httpc_open(&httpc, peer, 5000));
	assert_true(httpc_send(&httpc, view_str(bytes)));
	if (ends)
		shutdown(httpc.fd, SHUT_WR);
	assert_true(httpc_receive(&httpc, &answer, 15000));
	assert_problem(&answer, status, code);
	httpc_close(&httpc);
}

static void health_is_told_to_everybody_and_readiness_to_the_edge_only(void **state)
{
	AUTO(httpc_answer_free) struct httpc_answer health, ready, refused;
	const struct httpc_peer nobody = stranger(NULL);

	(void)state;
	httpc_get(&nobody, "/healthz", &health);
	assert_int_equal(health.status, 200);
	httpc_get(service, "/readyz", &ready);
	assert_int_equal(ready.status, 200);
	httpc_get(&nobody, "/readyz", &refused);
	assert_problem(&refused, 403, "edge-secret");
}

static void without_the_edges_secret_or_with_a_wrong_one_nothing_is_answered(void **state)
{
	static const char *const wrong[] = {NULL, "X-Endorse-Edge: \r\n",
		"X-Endorse-Edge: "
		"0000000000000000000000000000000000000000000000000000000000000000\r\n",
		"X-Endorse-Edge: 00\r\n"};
	static const char *const paths[] = {
		"/v1/ticket", "/v1/enroll", "/v1/renew/ticket", "/v1/renew"};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++)
		for (size_t k = 0; k < COUNT(paths); k++) {
			AUTO(httpc_answer_free) struct httpc_answer answer;
			const struct httpc_peer peer = stranger(wrong[i]);

			httpc_post(&peer, paths[k], view_str("{}"), &answer);
			assert_problem(&answer, 403, "edge-secret");
		}
}

static void an_endorse_header_that_is_there_twice_is_refused(void **state)
{
	AUTO(mem_free)
	char *twice = text("%sx-endorse-edge: %s\r\n", world.services[0].headers, world.secret);
	AUTO(mem_free)
	char *certificates = text("%sX-Endorse-Client-Cert: a\r\nX-Endorse-Client-Cert:"
				  " b\r\n",
		world.services[0].headers);
	const char *const all[] = {twice, certificates};

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer;
		const struct httpc_peer peer = stranger(all[i]);

		httpc_post(&peer, "/v1/ticket", view_str("{}"), &answer);
		assert_problem(&answer, 400, "edge-header-twice");
	}
}

static void paths_are_matched_exactly(void **state)
{
	static const char *const paths[] = {"/", "/v1", "/v1/ticketx", "/v1/ticket/",
		"/v1/ticket/x", "/V1/ticket", "/v1//ticket", "/v1/enroll/..", "/healthz/x",
		"/v1/ticket?a=b", "/v1/./ticket", "/v1/certificates", "/v1/certificates/",
		"/v1/certificates/a/b", "/v1/certificates//", "/v1/certificates/../ticket",
		"/v1/renewx", "/v1/renew/", "/v1/renew/ticket/x"};

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer;

		httpc_post(service, paths[i], view_str("{}"), &answer);
		if (answer.status != 404)
			fail_msg("%s: %d", paths[i], answer.status);
		assert_problem(&answer, 404, "route-unknown");
	}
}

static void only_a_digest_is_an_address_of_a_certificate(void **state)
{
	static const char *const paths[] = {"/v1/certificates/x",
		"/v1/certificates/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		"/v1/certificates/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde",
		"/v1/certificates/"
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0",
		"/v1/certificates/"
		"0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF"};

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer;

		httpc_get(service, paths[i], &answer);
		assert_problem(&answer, 404, "certificate-unknown");
	}
}

static void a_path_does_not_take_other_methods(void **state)
{
	static const char *const methods[] = {"GET", "PUT", "DELETE", "PATCH", "OPTIONS"};

	(void)state;
	for (size_t i = 0; i < COUNT(methods); i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer;

		httpc_ask(service, methods[i], "/v1/ticket", NULL, (struct view){NULL, 0}, &answer);
		assert_problem(&answer, 405, "method-not-allowed");
	}
}

static void a_body_without_its_length_or_in_chunks_is_refused(void **state)
{
	AUTO(mem_free)
	char *without =
		text("POST /v1/ticket HTTP/1.1\r\nHost: x\r\n%s\r\n", world.services[0].headers);
	AUTO(mem_free)
	char *chunked = text("POST /v1/ticket HTTP/1.1\r\nHost: x\r\n%s"
			     "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		world.services[0].headers);
	AUTO(mem_free)
	char *both = text("POST /v1/ticket HTTP/1.1\r\nHost: x\r\n%s"
			  "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
		world.services[0].headers);

	(void)state;
	sends(service, without, true, 411, "length-required");
	sends(service, chunked, false, 411, "length-required");
	sends(service, both, false, 411, "length-required");
}

static void a_body_that_ends_before_its_length_is_refused(void **state)
{
	AUTO(mem_free)
	char *bytes = text("POST /v1/ticket HTTP/1.1\r\nHost: x\r\n%s"
			   "Content-Length: 100\r\n\r\n{\"claim\":",
		world.services[0].headers);

	(void)state;
	sends(service, bytes, true, 400, "body-short");
}

static void a_header_that_must_be_single_is_refused_when_it_is_not(void **state)
{
	AUTO(mem_free)
	char *bytes = text("POST /v1/ticket HTTP/1.1\r\nHost: x\r\n%s"
			   "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
		world.services[0].headers);

	(void)state;
	sends(service, bytes, false, 400, "http-headers");
}

static void more_headers_than_can_be_seen_are_refused(void **state)
{
	AUTO(buf_free) struct buf bytes = BUF(16384);

	(void)state;
	buf_fmt(&bytes, "POST /v1/ticket HTTP/1.1\r\n%sContent-Length: 2\r\n",
		world.services[0].headers);
	for (int i = 0; i < 80; i++)
		buf_fmt(&bytes, "A%d: b\r\n", i);
	buf_str(&bytes, "\r\n{}");
	sends(service, buf_text(&bytes), false, 400, "http-headers");
}

static void a_body_beyond_its_routes_limit_is_refused_and_the_answer_arrives(void **state)
{
	static const struct {
		const char *path;
		size_t limit;
	} routes[] = {{"/v1/ticket", LIMIT_TICKET_BODY}, {"/v1/enroll", LIMIT_ENROLL_BODY}};

	(void)state;
	for (size_t i = 0; i < COUNT(routes); i++) {
		AUTO(buf_free) struct buf body = BUF(LIMIT_ENROLL_BODY + 1);
		AUTO(httpc_answer_free) struct httpc_answer fits, exceeds;

		while (body.n < routes[i].limit)
			buf_u8(&body, ' ');
		httpc_post(service, routes[i].path, buf_view(&body), &fits);
		assert_problem(&fits, 400, "json");
		buf_u8(&body, ' ');
		httpc_post(service, routes[i].path, buf_view(&body), &exceeds);
		assert_problem(&exceeds, 413, "body-too-large");
	}
}

static void the_admin_listener_wants_its_own_token(void **state)
{
	AUTO(mem_free) char *edge = text("Authorization: Bearer %s\r\n", world.secret);
	const struct {
		const char *headers;
		int status;
		const char *code;
	} rows[] = {{NULL, 401, "credential-missing"},
		{"Authorization: Bearer 00\r\n", 401, "token-unknown"},
		{edge, 401, "token-unknown"}, {world.services[0].headers, 403, "admin-edge-secret"},
		{"Authorization: Basic YTpi\r\n", 401, "token-unknown"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer;
		const struct httpc_peer peer = {
			.port = world.services[0].admin_port, .headers = rows[i].headers};

		httpc_post(&peer, "/v1/admin/host/unbind", view_str("{}"), &answer);
		assert_problem(&answer, rows[i].status, rows[i].code);
	}
}

static void a_request_as_deep_as_a_stack_is_refused_and_the_service_lives(void **state)
{
	AUTO(buf_free) struct buf body = BUF(LIMIT_TICKET_BODY), inner = BUF(LIMIT_CLAIM);
	AUTO(buf_free) struct buf outer = BUF(LIMIT_TICKET_BODY);
	AUTO(httpc_answer_free) struct httpc_answer plain, claim, health;

	(void)state;
	buf_str(&body, "{\"claim\":");
	for (int i = 0; i < 2000; i++)
		buf_str(&body, "[");
	httpc_post(service, "/v1/ticket", buf_view(&body), &plain);
	assert_problem(&plain, 400, "json");
	for (int i = 0; i < 2000; i++)
		buf_str(&inner, "{\"a\":");
	assert_int_equal(ticket_request_encode(buf_view(&inner), &outer), OK);
	httpc_post(service, "/v1/ticket", buf_view(&outer), &claim);
	assert_problem(&claim, 400, "json");
	httpc_get(service, "/healthz", &health);
	assert_int_equal(health.status, 200);
}

static void only_the_edge_says_where_a_request_came_from(void **state)
{
	AUTO(mem_free) char *log = NULL;
	AUTO(httpc_answer_free) struct httpc_answer answer;
	const struct httpc_peer peer = stranger("X-Endorse-Client-Address: 192.0.2.66\r\n");

	(void)state;
	httpc_post(&peer, "/v1/ticket", view_str("{}"), &answer);
	assert_problem(&answer, 403, "edge-secret");
	log = world_log(&world, 0);
	assert_null(strstr(log, "192.0.2.66"));
}

static void the_routes_of_one_listener_are_not_those_of_the_other(void **state)
{
	AUTO(httpc_answer_free) struct httpc_answer admin, device;

	(void)state;
	httpc_post(service, "/v1/admin/host/unbind", view_str("{}"), &admin);
	assert_problem(&admin, 404, "route-unknown");
	httpc_post(&world.services[0].admin, "/v1/ticket", view_str("{}"), &device);
	assert_problem(&device, 404, "route-unknown");
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(health_is_told_to_everybody_and_readiness_to_the_edge_only),
		cmocka_unit_test(without_the_edges_secret_or_with_a_wrong_one_nothing_is_answered),
		cmocka_unit_test(an_endorse_header_that_is_there_twice_is_refused),
		cmocka_unit_test(paths_are_matched_exactly),
		cmocka_unit_test(only_a_digest_is_an_address_of_a_certificate),
		cmocka_unit_test(a_path_does_not_take_other_methods),
		cmocka_unit_test(a_body_without_its_length_or_in_chunks_is_refused),
		cmocka_unit_test(a_body_that_ends_before_its_length_is_refused),
		cmocka_unit_test(a_header_that_must_be_single_is_refused_when_it_is_not),
		cmocka_unit_test(more_headers_than_can_be_seen_are_refused),
		cmocka_unit_test(a_body_beyond_its_routes_limit_is_refused_and_the_answer_arrives),
		cmocka_unit_test(the_admin_listener_wants_its_own_token),
		cmocka_unit_test(a_request_as_deep_as_a_stack_is_refused_and_the_service_lives),
		cmocka_unit_test(only_the_edge_says_where_a_request_came_from),
		cmocka_unit_test(the_routes_of_one_listener_are_not_those_of_the_other),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
