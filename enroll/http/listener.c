#include "enroll/http/listener.h"

#include "enroll/flow/tally.h"
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

/* What was answered to a device: not whether the service is well, which the edge asks all the time. */
static void count(const struct listener *listener, const struct exchange *exchange,
	const struct route *route, enum err err)
{
	struct tally *tally = listener->options.tally;

	if (tally != NULL && (route == NULL || route->body_limit > 0))
		tally_add(tally, &exchange->caller, &exchange->outcome, err, why());
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
	enum err err;
	int status;

	exchange_init(&exchange, connection, request_id);
	service = current_take(listener->options.current);
	err = enter(listener) ? serve(listener, connection, service, &exchange, &body, &route)
			      : fail(ERR_BUSY, "draining", "this server is being stopped");
	count(listener, &exchange, route, err);
	/* After a refusal the body may be unread: the next request begins on a new connection. */
	status = response_send(connection, &exchange, route, err, err != OK);
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
