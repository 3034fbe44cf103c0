#include "enroll/http/listener.h"

#include "enroll/flow/tally.h"
#include "enroll/flow/traffic.h"
#include "enroll/http/admission.h"
#include "enroll/http/request.h"
#include "enroll/http/response.h"
#include "enroll/proto/vendors.h"

#include <civetweb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct listener {
	struct mg_context *web;
	struct listener_options options;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	unsigned in_flight;
	bool is_draining;
};

/* Counts the request in, unless the listener is draining. */
static bool enter(struct listener *listener)
{
	bool may;

	pthread_mutex_lock(&listener->lock);
	may = !listener->is_draining;
	listener->in_flight++;
	pthread_mutex_unlock(&listener->lock);
	return may;
}

static void leave(struct listener *listener)
{
	pthread_mutex_lock(&listener->lock);
	if (--listener->in_flight == 0)
		pthread_cond_broadcast(&listener->idle);
	pthread_mutex_unlock(&listener->lock);
}

static enum err serve(struct listener *listener, struct mg_connection *connection,
	const struct service *service, struct exchange *exchange, struct buf *body,
	const struct route **route)
{
	TRY(request_judge(connection));
	TRY(route_find(listener->options.routes, exchange->method, exchange->path, route));
	TRY(admission_judge(connection, (*route)->admission, service, exchange));
	TRY(request_query(connection, (*route)->query, &exchange->query));
	body->limit = (*route)->body_limit;
	TRY(request_body(connection, (*route)->body_limit, body));
	exchange->body = buf_view(body);
	return (*route)->handle(service, exchange);
}

/* What devices ask of the protocol: not what is asked all the time, whether the service is well, and
 * what became of certificates. */
static bool is_of_devices(const struct listener *listener, const struct route *route)
{
	return listener->options.tally != NULL && route->body_limit > 0 && !route->is_polled;
}

static void count(const struct listener *listener, const struct exchange *exchange,
	const struct route *route, enum err err)
{
	struct tally *tally = listener->options.tally;

	if (tally != NULL && (route == NULL || is_of_devices(listener, route)))
		tally_add(tally, &exchange->caller, &exchange->outcome, err, why());
}

/* By a clock that only goes forward; clock_ms() is too coarse for the fastest answers. */
static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* `reason` was kept while it was why(): a code is a literal. */
static void measure(const struct listener *listener, const struct exchange *exchange,
	const struct route *route, const struct traffic_answer *so_far)
{
	struct traffic_answer answer = *so_far;

	answer.us = now_us() - so_far->us;
	answer.outcome = exchange->outcome.what;
	if (route != NULL) {
		answer.method = route->method;
		answer.route = route->path;
		answer.is_attested = is_of_devices(listener, route);
	}
	traffic_add(listener->options.traffic, &answer);
}

/* civetweb calls this for every request; what it returns is the status for its own records. */
static int handle(struct mg_connection *connection, void *ctx)
{
	AUTO(exchange_free) struct exchange exchange;
	AUTO(buf_free) struct buf body = {0};
	struct listener *listener = ctx;
	const struct route *route = NULL;
	struct service *service;
	char request_id[REQUEST_ID_SIZE];
	struct traffic_answer answer = {.us = now_us()};
	enum err err;
	int status;

	exchange_init(&exchange, connection, request_id);
	service = current_take(listener->options.current);
	err = enter(listener) ? serve(listener, connection, service, &exchange, &body, &route)
			      : fail(ERR_BUSY, "draining", "this server is being stopped");
	count(listener, &exchange, route, err);
	answer.err = err;
	answer.reason = why()->code;
	/* After a refusal the body may be unread: the next request begins on a new connection. */
	status = response_send(connection, &exchange, route, err, err != OK);
	measure(listener, &exchange, route, &answer);
	current_release(listener->options.current, &service);
	leave(listener);
	return status;
}

static int quiet(const struct mg_connection *connection, const char *message)
{
	(void)connection;
	(void)message;
	return 1;
}

/* Who may ask is admission_judge()'s to say; without this, civetweb looks for a file /.htpasswd at each request. */
static int admit(struct mg_connection *connection, void *ctx)
{
	(void)connection;
	(void)ctx;
	return 1;
}

enum err listener_start(const struct listener_options *options, struct listener **out)
{
	AUTO(mem_free) struct listener *listener = calloc(1, sizeof(*listener));
	pthread_condattr_t monotonic;
	const struct mg_callbacks callbacks = {.log_message = quiet};
	char threads[16];
	const char *settings[] = {"listening_ports", options->address, "num_threads", threads,
		"enable_keep_alive", "yes", "keep_alive_timeout_ms", "8000", "request_timeout_ms",
		"5000", "tcp_nodelay", "1", "max_request_size", "16384", "listen_backlog", "1024",
		"connection_queue", "128", NULL};

	if (listener == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "listener_start");
	snprintf(threads, sizeof(threads), "%u", options->threads);
	listener->options = *options;
	pthread_mutex_init(&listener->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&listener->idle, &monotonic);
	pthread_condattr_destroy(&monotonic);
	mg_init_library(0);
	if ((listener->web = mg_start(&callbacks, listener, settings)) == NULL)
		return fail(ERR_INTERNAL, "listen", "%s: cannot listen there (is the port taken?)",
			options->address);
	/* One handler for everything: civetweb's own matches prefixes. */
	mg_set_auth_handler(listener->web, "/", admit, NULL);
	mg_set_request_handler(listener->web, "/", handle, listener);
	*out = MOVE(listener);
	return OK;
}

unsigned listener_drain(struct listener *listener, unsigned seconds)
{
	struct timespec until;
	unsigned left;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += seconds;
	pthread_mutex_lock(&listener->lock);
	listener->is_draining = true;
	while (listener->in_flight > 0 &&
		pthread_cond_timedwait(&listener->idle, &listener->lock, &until) == 0)
		;
	left = listener->in_flight;
	pthread_mutex_unlock(&listener->lock);
	return left;
}

void listener_stop(struct listener **listener)
{
	if (*listener == NULL)
		return;
	mg_stop((*listener)->web);
	pthread_cond_destroy(&(*listener)->idle);
	pthread_mutex_destroy(&(*listener)->lock);
	free(*listener);
	*listener = NULL;
}
