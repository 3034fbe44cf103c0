#include "tests/bench/endorse-bench/load.h"
#include "tests/unit/check.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

/* A server that says what it is told to, on one connection after the other. */
struct server {
	int fd, port;
	pthread_t thread;
	/* For each request the next answer, and at the end again and again the last one; "": none, it hangs up. */
	const char *const *answers;
	atomic_size_t requests, connections;
	atomic_bool is_over;
};

static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
static const char not_now[] = "HTTP/1.1 503 x\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n";
static const char denied[] = "HTTP/1.1 403 x\r\nContent-Length: 0\r\n\r\n";
static const char last_one[] =
	"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok";

/* One request has one packet here. False when the connection is done with. */
static bool serve_one(struct server *server, int fd)
{
	const char *answer = server->answers[0];
	char bytes[4096];

	if (recv(fd, bytes, sizeof(bytes), 0) <= 0)
		return false;
	atomic_fetch_add(&server->requests, 1);
	if (server->answers[1] != NULL)
		server->answers++;
	if (answer[0] == '\0')
		return false;
	send(fd, answer, strlen(answer), MSG_NOSIGNAL);
	return answer != last_one;
}

static void *serve(void *of)
{
	struct server *server = of;

	while (!server->is_over) {
		AUTO(fd_close) int fd = accept(server->fd, NULL, NULL);

		if (fd < 0 || server->is_over)
			break;
		atomic_fetch_add(&server->connections, 1);
		while (serve_one(server, fd))
			;
	}
	return NULL;
}

static void start(struct server *server, const char *const *answers)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t n = sizeof(at);

	*server = (struct server){
		.answers = answers, .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	assert_int_equal(0, bind(server->fd, (struct sockaddr *)&at, n));
	assert_int_equal(0, listen(server->fd, 64));
	assert_int_equal(0, getsockname(server->fd, (struct sockaddr *)&at, &n));
	server->port = ntohs(at.sin_port);
	assert_int_equal(0, pthread_create(&server->thread, NULL, serve, server));
}

static void stop(struct server *server)
{
	server->is_over = true;
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->fd);
}

static atomic_size_t begun, ended, ended_well;

static enum err ask(struct load_request *out)
{
	out->method = "POST";
	out->path = "/";
	out->type = "text/plain";
	buf_str(&out->body, "body");
	return OK;
}

static enum err begin(void *ctx, size_t i, void *kept, struct load_request *out)
{
	(void)ctx;
	(void)i;
	assert_int_equal(0, *(int *)kept);
	begun++;
	return ask(out);
}

/* Two requests for each errand. */
static enum err next(void *ctx, void *kept, struct view body, struct load_request *out)
{
	int *n = kept;

	(void)ctx;
	assert_view_equal(body, view_str("ok"));
	return ++*n < 2 ? ask(out) : OK;
}

static void end(void *ctx, void *kept, bool was_good)
{
	(void)ctx;
	(void)kept;
	ended++;
	ended_well += was_good;
}

static enum err welcome(void *ctx, void *kept, int status, const char *code)
{
	(void)ctx;
	(void)kept;
	assert_string_equal("http-403", code);
	return status == 403 ? OK : ERR_DENIED;
}

static struct figures figures;

static void run(struct server *server, struct load_plan plan, struct load_work work)
{
	char url[64];

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/", server->port);
	begun = ended = ended_well = 0;
	plan.url = url;
	work.what = "test";
	work.keeps = sizeof(int);
	work.begin = begin;
	work.next = next;
	work.end = end;
	assert_ok(load_run(&plan, &work, &figures));
	assert_int_equal(begun, ended);
	assert_int_equal(ended_well, figures.good);
	assert_int_equal(figures.latency.count, figures.good);
}

static uint64_t errors_of(const struct figures_errors *errors, const char *code)
{
	for (size_t i = 0; i < errors->n; i++)
		if (strcmp(errors->of[i].code, code) == 0)
			return errors->of[i].n;
	return 0;
}

static void an_errand_has_a_connection_of_its_own(void **state)
{
	const char *const answers[] = {good, NULL};
	struct server server;

	(void)state;
	start(&server, answers);
	run(&server, (struct load_plan){.errands = 7, .connections = 1, .sources = 3},
		(struct load_work){.what = NULL});
	stop(&server);
	assert_int_equal(7, figures.good);
	assert_int_equal(7, server.connections);
	assert_int_equal(14, server.requests);
}

static void a_connection_is_used_again_where_that_is_wanted(void **state)
{
	const char *const answers[] = {good, NULL};
	struct server server;

	(void)state;
	start(&server, answers);
	run(&server, (struct load_plan){.errands = 7, .connections = 1, .reuse = 3},
		(struct load_work){.what = NULL});
	stop(&server);
	assert_int_equal(7, figures.good);
	assert_int_equal(3, server.connections);
}

static void who_is_sent_away_comes_again(void **state)
{
	const char *const answers[] = {good, not_now, good, NULL};
	struct server server;

	(void)state;
	start(&server, answers);
	run(&server, (struct load_plan){.errands = 1, .connections = 1, .patience_s = 60},
		(struct load_work){.what = NULL});
	stop(&server);
	assert_int_equal(1, figures.good);
	assert_int_equal(1, errors_of(&figures.retried, "http-503"));
	/* With the second request, on the connection that it has: as the agent does. */
	assert_int_equal(3, server.requests);
	assert_int_equal(1, server.connections);
	assert_true(figures.latency.max_us >= 500000);
}

static void without_patience_it_is_an_error(void **state)
{
	const char *const answers[] = {not_now, good, NULL};
	struct server server;

	(void)state;
	start(&server, answers);
	run(&server, (struct load_plan){.errands = 3, .connections = 1},
		(struct load_work){.what = NULL});
	stop(&server);
	assert_int_equal(2, figures.good);
	assert_int_equal(3, figures.devices);
	assert_int_equal(1, errors_of(&figures.errors, "http-503"));
}

static void a_connection_that_was_closed_meanwhile_is_replaced(void **state)
{
	const char *const answers[] = {last_one, good, NULL}, *const silent[] = {
								      good, "", good, NULL};
	struct server server;

	(void)state;
	start(&server, answers);
	run(&server, (struct load_plan){.errands = 1, .connections = 1},
		(struct load_work){.what = NULL});
	stop(&server);
	assert_int_equal(1, figures.good);
	assert_int_equal(2, server.connections);
	start(&server, silent);
	run(&server, (struct load_plan){.errands = 1, .connections = 1},
		(struct load_work){.what = NULL});
	stop(&server);
	assert_int_equal(1, figures.good);
	assert_int_equal(0, figures.retried.n);
}

static void a_new_connection_that_breaks_is_an_error(void **state)
{
	const char *const answers[] = {"", NULL}, *const garbage[] = {"SSH-2.0-x\r\n\r\n", NULL};
	struct server server;

	(void)state;
	start(&server, answers);
	run(&server, (struct load_plan){.errands = 2, .connections = 1},
		(struct load_work){.what = NULL});
	stop(&server);
	assert_int_equal(2, errors_of(&figures.errors, "connection"));
	start(&server, garbage);
	run(&server, (struct load_plan){.errands = 2, .connections = 1},
		(struct load_work){.what = NULL});
	stop(&server);
	assert_int_equal(2, errors_of(&figures.errors, "http"));
	run(&server, (struct load_plan){.errands = 2, .connections = 2, .threads = 2},
		(struct load_work){.what = NULL});
	assert_int_equal(2, errors_of(&figures.errors, "connection"));
}

static bool is_denied(const char *code)
{
	return strcmp(code, "http-403") == 0;
}

static void an_errand_begins_anew_a_few_times(void **state)
{
	const char *const answers[] = {good, denied, good, NULL}, *const never[] = {denied, NULL};
	struct server server;

	(void)state;
	start(&server, answers);
	run(&server, (struct load_plan){.errands = 1, .connections = 1},
		(struct load_work){.begins_anew = is_denied});
	stop(&server);
	assert_int_equal(1, figures.good);
	assert_int_equal(4, server.requests);
	assert_int_equal(1, server.connections);
	assert_int_equal(2, begun);
	start(&server, never);
	run(&server, (struct load_plan){.errands = 1, .connections = 1},
		(struct load_work){.begins_anew = is_denied});
	stop(&server);
	assert_int_equal(LOAD_BEGINNINGS, server.requests);
	assert_int_equal(1, errors_of(&figures.errors, "http-403"));
	assert_int_equal(LOAD_BEGINNINGS - 1, errors_of(&figures.retried, "http-403"));
}

static void a_refusal_may_be_what_is_wanted(void **state)
{
	const char *const answers[] = {denied, NULL};
	struct server server;

	(void)state;
	start(&server, answers);
	run(&server, (struct load_plan){.errands = 4, .connections = 1},
		(struct load_work){.refused = welcome});
	assert_int_equal(4, figures.good);
	assert_int_equal(4, errors_of(&figures.refused, "http-403"));
	run(&server, (struct load_plan){.errands = 4, .connections = 1},
		(struct load_work){.what = NULL});
	stop(&server);
	assert_int_equal(0, figures.good);
	assert_int_equal(4, errors_of(&figures.errors, "http-403"));
}

/* From when it was due, also when there was no connection for it. */
static void an_open_loop_counts_from_when_it_was_due(void **state)
{
	const char *const answers[] = {good, NULL};
	struct server server;

	(void)state;
	start(&server, answers);
	run(&server, (struct load_plan){.errands = 5, .connections = 1, .rate = 20},
		(struct load_work){.what = NULL});
	assert_int_equal(5, figures.good);
	assert_true(figures.seconds >= 0.2);
	run(&server, (struct load_plan){.errands = 50, .connections = 1, .herd_s = 0.3},
		(struct load_work){.what = NULL});
	assert_int_equal(50, figures.good);
	run(&server,
		(struct load_plan){
			.errands = 1000000, .connections = 1, .rate = 50, .seconds = 0.1},
		(struct load_work){.what = NULL});
	stop(&server);
	assert_int_equal(5, figures.good);
}

static void what_cannot_be_a_service_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "localhost:1", "ftp://localhost", "https://", "https://localhost/path"};
	struct load_work work = {.what = "test", .begin = begin, .next = next};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct load_plan plan = {.url = bad[i], .errands = 1, .connections = 1};

		assert_refused_in(
			bad[i], load_run(&plan, &work, &figures), ERR_MALFORMED, "bench-url");
	}
	assert_refused(load_run(&(struct load_plan){.url = "https://localhost",
					.ca = "/nowhere.pem",
					.errands = 1,
					.connections = 1},
			       &work, &figures),
		ERR_INTERNAL, "bench-ca");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_errand_has_a_connection_of_its_own),
		cmocka_unit_test(a_connection_is_used_again_where_that_is_wanted),
		cmocka_unit_test(who_is_sent_away_comes_again),
		cmocka_unit_test(without_patience_it_is_an_error),
		cmocka_unit_test(a_connection_that_was_closed_meanwhile_is_replaced),
		cmocka_unit_test(a_new_connection_that_breaks_is_an_error),
		cmocka_unit_test(an_errand_begins_anew_a_few_times),
		cmocka_unit_test(a_refusal_may_be_what_is_wanted),
		cmocka_unit_test(an_open_loop_counts_from_when_it_was_due),
		cmocka_unit_test(what_cannot_be_a_service_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
