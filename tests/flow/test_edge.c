/* test_edge.c - what the TLS edge keeps away from the service, and what it adds. */
#include "enroll/proto/problem.h"
#include "tests/flow/dialogue.h"
#include "tests/flow/supervise.h"
#include "tests/flow/world.h"

#include <arpa/inet.h>
#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DRIPPING 200

static struct world world;
static struct device device;

static int make(void **state)
{
	(void)state;
	world_make(&(struct world_plan){.chips = 1, .services = 1, .edge = true}, &world);
	device_open(&device, world.chips[0].tcti);
	return 0;
}

static int unmake(void **state)
{
	(void)state;
	device_close(&device);
	world_free(&world);
	return 0;
}

static void assert_problem(const struct httpc_answer *answer, int status, const char *code)
{
	AUTO(mem_free) char *type = httpc_header(answer, "Content-Type");
	struct problem problem = {0};

	assert_int_equal(answer->status, status);
	assert_string_equal(type, "application/problem+json");
	assert_int_equal(problem_parse(buf_view(&answer->body), &problem), OK);
	assert_string_equal(problem.code, code);
}

static void enrolls_through_the_edge(void)
{
	AUTO(dialogue_free) struct dialogue x;

	dialogue_init(&x, &device, &world.front, world.name, "web-1.example.test");
	dialogue_keys(&x, KEY_RSA_2048, AK_P256);
	assert_int_equal(dialogue_run(&x), 200);
}

/* Headers and 20,000 bytes of a body of 100,000; the rest comes a byte a second, or never. */
static void begin_slowly(struct httpc *httpc)
{
	AUTO(buf_free) struct buf bytes = BUF(32768);

	buf_str(&bytes, "POST /v1/enroll HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
			"application/json\r\nContent-Length: 100000\r\n\r\n");
	for (int i = 0; i < 20000; i++)
		buf_u8(&bytes, ' ');
	assert_true(httpc_open(httpc, &world.front, 10000));
	assert_true(httpc_send(httpc, buf_view(&bytes)));
}

static bool has_answer(const struct httpc *httpc)
{
	struct pollfd poll_fd = {.fd = httpc->fd, .events = POLLIN};

	return SSL_pending(httpc->ssl) > 0 || poll(&poll_fd, 1, 0) > 0;
}

static void two_hundred_that_drip_get_408_while_an_honest_device_enrolls(void **state)
{
	static struct httpc dripping[DRIPPING];
	const int64_t began = now_ms();
	size_t timed_out = 0;

	(void)state;
	for (size_t i = 0; i < DRIPPING; i++)
		begin_slowly(&dripping[i]);
	enrolls_through_the_edge();
	assert_true(now_ms() - began < 10000);
	for (size_t i = 0; i < DRIPPING; i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer;

		while (!has_answer(&dripping[i]) && now_ms() - began < 25000) {
			httpc_send(&dripping[i], view_str(" "));
			poll(NULL, 0, 50);
		}
		if (httpc_receive(&dripping[i], &answer, 25000) && answer.status == 408) {
			assert_problem(&answer, 408, "edge-timeout");
			timed_out++;
		}
		httpc_close(&dripping[i]);
	}
	assert_int_equal(timed_out, DRIPPING);
	enrolls_through_the_edge();
}

static void a_body_beyond_every_limit_is_refused_at_the_edge(void **state)
{
	AUTO(buf_free) struct buf body = BUF(LIMIT_ENROLL_BODY + 1);
	AUTO(httpc_answer_free) struct httpc_answer answer;

	(void)state;
	while (body.n < LIMIT_ENROLL_BODY + 1)
		buf_u8(&body, ' ');
	httpc_post(&world.front, "/v1/enroll", buf_view(&body), &answer);
	assert_problem(&answer, 413, "body-too-large");
}

static void a_header_name_that_may_pass_for_another_is_refused(void **state)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;

	(void)state;
	httpc_ask(&world.front, "GET", "/healthz", "X_Endorse_Edge: x\r\n", (struct view){NULL, 0},
		&answer);
	assert_problem(&answer, 403, "edge-forbidden");
}

#define DIGITS "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define CAPITALS "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF"

/* What the service answers itself is not for the edge to say. */
static void what_is_for_strangers_reaches_the_service(void **state)
{
	AUTO(httpc_answer_free) struct httpc_answer certificate, ticket, renewal;

	(void)state;
	httpc_get(&world.front, "/v1/certificates/" DIGITS, &certificate);
	assert_problem(&certificate, 404, "certificate-unknown");
	httpc_post(&world.front, "/v1/renew/ticket", view_str("{}"), &ticket);
	assert_problem(&ticket, 400, "json-key-missing");
	httpc_post(&world.front, "/v1/renew", view_str("{}"), &renewal);
	assert_problem(&renewal, 400, "json-key-missing");
}

static void what_is_not_for_strangers_ends_at_the_edge(void **state)
{
	static const struct {
		const char *method, *path;
	} rows[] = {{"GET", "/readyz"}, {"GET", "/%72eadyz"}, {"GET", "/readyz%00"},
		{"GET", "//readyz"}, {"GET", "/"}, {"POST", "/v1/admin/host/unbind"},
		{"POST", "/v1/ticket%00"}, {"GET", "/v1/certificates/"},
		{"GET", "/v1/certificates/" DIGITS "0"}, {"GET", "/v1/certificates/" CAPITALS},
		{"GET", "/v1/certificates/" DIGITS "/"}, {"GET", "/v1/certificates/%30" DIGITS},
		{"POST", "/v1/certificates/" DIGITS}, {"POST", "/v1/renew/"},
		{"POST", "/v1/renew/ticket/x"}, {"TRACE", "/healthz"}, {"DELETE", "/v1/ticket"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer;

		httpc_ask(
			&world.front, rows[i].method, rows[i].path, NULL, view_str("{}"), &answer);
		assert_problem(&answer, 403, "edge-forbidden");
	}
}

static void a_request_with_the_whole_url_is_as_good_as_one_with_its_path(void **state)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;

	(void)state;
	httpc_ask(&world.front, "GET", "https://localhost/healthz", NULL, (struct view){NULL, 0},
		&answer);
	assert_int_equal(answer.status, 200);
}

/* Stands in the service's place and keeps the request that is not a health check. */
struct stand_in {
	int fd;
	char request[16384];
	size_t n;
};

static void answer_one(struct stand_in *stand_in, int fd)
{
	static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n"
				    "X-Endorse-Edge: leaked\r\n\r\n{}";
	char request[16384];
	size_t n = 0;
	ssize_t got;

	while (n < sizeof(request) - 1 &&
		(got = read(fd, request + n, sizeof(request) - 1 - n)) > 0) {
		n += (size_t)got;
		request[n] = '\0';
		if (strstr(request, "\r\n\r\n") != NULL)
			break;
	}
	if (strncmp(request, "GET /healthz", 12) != 0) {
		memcpy(stand_in->request, request, n + 1);
		stand_in->n = n;
	}
	if (write(fd, reply, sizeof(reply) - 1) < 0)
		perror("stand-in");
}

static void *stand(void *arg)
{
	struct stand_in *stand_in = arg;
	int fd;

	while ((fd = accept(stand_in->fd, NULL, NULL)) >= 0) {
		answer_one(stand_in, fd);
		close(fd);
	}
	return NULL;
}

static void stand_in_for_the_service(struct stand_in *stand_in)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)world.services[0].port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int yes = 1;

	stand_in->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(stand_in->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	assert_int_equal(bind(stand_in->fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(stand_in->fd, 64), 0);
}

static bool edge_answers(void *arg)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;

	(void)arg;
	httpc_get(&world.front, "/healthz", &answer);
	return answer.status == 200;
}

static size_t count(const char *text_of, const char *what)
{
	size_t n = 0;

	for (const char *at = text_of; (at = strcasestr(at, what)) != NULL; at++)
		n++;
	return n;
}

static void assert_headers_are_the_edges_own(const struct stand_in *stand_in)
{
	AUTO(mem_free) char *ours = text("x-endorse-edge: %s\r\n", world.secret);

	assert_int_equal(count(stand_in->request, "x-endorse-edge:"), 1);
	assert_int_equal(count(stand_in->request, ours), 1);
	assert_int_equal(count(stand_in->request, "x-endorse-client-address:"), 1);
	assert_int_equal(count(stand_in->request, "x-endorse-client-address: 127.0.0.1\r\n"), 1);
	assert_int_equal(count(stand_in->request, "x-endorse-client-cert"), 0);
	assert_int_equal(count(stand_in->request, "x-endorse-other"), 0);
	assert_int_equal(count(stand_in->request, "forged"), 0);
}

static void forged_endorse_headers_once_and_twice_never_reach_the_service(void **state)
{
	static const char *const forged[] = {"", "X-Endorse-Client-Cert: forged\r\n",
		"X-Endorse-Client-Cert: forged\r\nx-endorse-client-cert: forged\r\n",
		"X-ENDORSE-EDGE: forged\r\nX-Endorse-Edge: forged\r\n",
		"X-Endorse-Client-Address: forged\r\nX-Endorse-Other: forged\r\n"};
	struct stand_in stand_in = {.fd = -1};
	pthread_t thread;

	(void)state;
	world_service_stop(&world, 0, SIGTERM);
	stand_in_for_the_service(&stand_in);
	assert_int_equal(pthread_create(&thread, NULL, stand, &stand_in), 0);
	assert_true(wait_until(edge_answers, NULL, 20000));
	for (size_t i = 0; i < COUNT(forged); i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer;

		httpc_ask(&world.front, "POST", "/v1/ticket", forged[i], view_str("{}"), &answer);
		assert_int_equal(answer.status, 200);
		assert_headers_are_the_edges_own(&stand_in);
		/* Nor does one of the service's come out. */
		assert_int_equal(count(buf_text(&answer.head), "x-endorse-"), 0);
	}
	shutdown(stand_in.fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(stand_in.fd);
}

/* So there is no key at the edge that opens more than one connection. */
static void no_connection_can_be_resumed(void **state)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;
	struct httpc httpc;

	(void)state;
	assert_true(httpc_open(&httpc, &world.front, 10000));
	assert_true(
		httpc_send(&httpc, view_str("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")));
	assert_true(httpc_receive(&httpc, &answer, 10000));
	assert_int_equal(answer.status, 200);
	assert_false(SSL_SESSION_is_resumable(SSL_get0_session(httpc.ssl)));
	httpc_close(&httpc);
}

static bool edge_gives_up(void *arg)
{
	AUTO(httpc_answer_free) struct httpc_answer answer;

	(void)arg;
	httpc_get(&world.front, "/healthz", &answer);
	return answer.status == 503;
}

static void without_a_service_the_edge_says_when_to_come_again(void **state)
{
	bool heard[15] = {0};
	size_t moments = 0;

	(void)state;
	world_service_stop(&world, 0, SIGTERM);
	assert_true(wait_until(edge_gives_up, NULL, 20000));
	for (size_t i = 0; i < 20; i++) {
		AUTO(httpc_answer_free) struct httpc_answer answer;
		AUTO(mem_free) char *retry = NULL;

		httpc_post(&world.front, "/v1/ticket", view_str("{}"), &answer);
		assert_problem(&answer, 503, "service-unavailable");
		retry = httpc_header(&answer, "Retry-After");
		assert_non_null(retry);
		assert_in_range(strtol(retry, NULL, 10), 5, COUNT(heard) - 1);
		heard[strtol(retry, NULL, 10)] = true;
	}
	for (size_t i = 0; i < COUNT(heard); i++)
		moments += heard[i];
	/* Those who are told at once do not come again at once. */
	assert_true(moments > 1);
	world_service_start(&world, 0);
	assert_true(wait_until(edge_answers, NULL, 20000));
	enrolls_through_the_edge();
}

static int tests(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(two_hundred_that_drip_get_408_while_an_honest_device_enrolls),
		cmocka_unit_test(a_body_beyond_every_limit_is_refused_at_the_edge),
		cmocka_unit_test(a_header_name_that_may_pass_for_another_is_refused),
		cmocka_unit_test(what_is_for_strangers_reaches_the_service),
		cmocka_unit_test(what_is_not_for_strangers_ends_at_the_edge),
		cmocka_unit_test(no_connection_can_be_resumed),
		cmocka_unit_test(a_request_with_the_whole_url_is_as_good_as_one_with_its_path),
		cmocka_unit_test(forged_endorse_headers_once_and_twice_never_reach_the_service),
		cmocka_unit_test(without_a_service_the_edge_says_when_to_come_again),
	};

	return cmocka_run_group_tests(all, make, unmake);
}

int main(void)
{
	return supervise(tests);
}
