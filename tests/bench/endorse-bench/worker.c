#include "tests/bench/endorse-bench/worker.h"

#include "enroll/proto/problem.h"
#include "tests/bench/endorse-bench/link.h"
#include "tests/bench/endorse-bench/patience.h"
#include "tests/bench/endorse-bench/timers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define TRY_US 30000000 /* one request, as the agent's */
#define SWEEP_US 1000000 /* how often those are looked for that take longer */
#define EVENTS 256
#define STARTS 256 /* at once: nobody's handshake waits until all that are due have begun theirs */

enum state { FREE, ASKS, WAITS };

/* A place for a client: its connection, and the errand that it is on. */
struct client {
	struct link link;
	enum state state;
	size_t served; /* errands on this connection */
	size_t errand;
	int64_t due_us;
	int64_t gives_up_us; /* when its patience ends */
	int64_t try_ends_us;
	unsigned tries; /* that failed */
	unsigned beginnings;
	struct load_request request;
	void *kept;
};

struct office {
	struct worker *worker;
	struct client *clients;
	size_t *free_ones; /* a stack */
	size_t free_n;
	struct timers timers; /* of those who wait */
	int epoll;
	/* An errand that was taken from the agenda and has no client yet. */
	bool has_next, is_over;
	size_t next;
	int64_t next_due_us;
	int64_t swept_us;
	/* A clock among the connections, for epoll_wait() counts in milliseconds. */
	int alarm;
	int64_t rings_us;
};

#define ALARM UINT64_MAX

static size_t place_of(const struct office *office, const struct client *client)
{
	return (size_t)(client - office->clients);
}

/* The client has its errand behind it, and its connection where another may follow on it. */
static void leave(struct office *office, struct client *client)
{
	const size_t reuse = office->worker->plan->reuse;

	client->state = FREE;
	client->served++;
	if (link_is_open(&client->link) && (client->served >= reuse || client->link.reply.closes))
		link_close(&client->link);
	office->free_ones[office->free_n++] = place_of(office, client);
}

static void finish(struct office *office, struct client *client, bool good)
{
	struct worker *worker = office->worker;
	const int64_t now = now_us();

	worker->done++;
	worker->last_us = now;
	if (good) {
		worker->good++;
		latency_add(&worker->latency, now - client->due_us);
	}
	if (worker->work->end != NULL)
		worker->work->end(worker->work->ctx, client->kept, good);
	client->request.body.n = 0;
	leave(office, client);
}

static void lose(struct office *office, struct client *client, const char *code)
{
	errors_count(&office->worker->errors, code, 1);
	finish(office, client, false);
}

static void go_on(struct office *office, struct client *client);

/* Opens a connection where there is none, and sends the request. */
static void ask(struct office *office, struct client *client)
{
	struct worker *worker = office->worker;
	const size_t sources = worker->plan->sources;
	const size_t source = sources == 0 ? 0 : 1 + client->errand % sources;

	client->state = ASKS;
	client->try_ends_us = now_us() + TRY_US;
	link_ask(&client->link, &worker->target, &client->request);
	if (!link_is_open(&client->link)) {
		client->served = 0;
		link_open(&client->link, &worker->target, source, office->epoll,
			place_of(office, client));
	}
	go_on(office, client);
}

/* It comes again later, if it has the patience. */
static void come_again(
	struct office *office, struct client *client, int64_t after_s, const char *code)
{
	const int64_t wakes = now_us() + patience_wait_us(++client->tries, after_s);

	if (wakes >= client->gives_up_us) {
		lose(office, client, code);
		return;
	}
	errors_count(&office->worker->retried, code, 1);
	if (client->link.reply.closes)
		link_close(&client->link);
	client->state = WAITS;
	timers_add(&office->timers, wakes, place_of(office, client));
}

/*
 * A connection that was used before may have been closed while nobody looked: no answer on it says
 * nothing, and every client takes a new one at once.
 */
static void connection_failed(struct office *office, struct client *client)
{
	const char *code = client->link.code;
	const bool is_stale = client->link.answers > 0 && client->link.in.n == 0 &&
			      strcmp(code, "connection") == 0;

	link_close(&client->link);
	if (is_stale)
		ask(office, client);
	else
		come_again(office, client, -1, code);
}

/* The code of a problem (RFC 9457), or what HTTP said. */
static void code_of(const struct link *link, struct problem *out)
{
	const struct view body = link_body(link);

	if (body.n == 0 || problem_parse(body, out) != OK || out->code[0] == '\0')
		snprintf(out->code, sizeof(out->code), "http-%d", link->reply.status);
}

/* The first request of its errand. */
static void make_first_request(struct office *office, struct client *client)
{
	const struct load_work *work = office->worker->work;

	client->beginnings++;
	client->request.path = NULL;
	client->request.body.n = 0;
	memset(client->kept, 0, work->keeps);
	if (work->begin(work->ctx, client->errand, client->kept, &client->request) != OK)
		lose(office, client, why()->code);
	else
		ask(office, client);
}

static bool begins_anew(const struct office *office, const struct client *client, const char *code)
{
	const struct load_work *work = office->worker->work;

	return work->begins_anew != NULL && client->beginnings < LOAD_BEGINNINGS &&
	       work->begins_anew(code);
}

static void begin_anew(struct office *office, struct client *client, const char *code)
{
	const struct load_work *work = office->worker->work;

	errors_count(&office->worker->retried, code, 1);
	if (work->end != NULL)
		work->end(work->ctx, client->kept, false);
	if (client->link.reply.closes)
		link_close(&client->link);
	make_first_request(office, client);
}

static void refused(struct office *office, struct client *client)
{
	const struct load_work *work = office->worker->work;
	const struct reply *reply = &client->link.reply;
	struct problem problem = {0};

	code_of(&client->link, &problem);
	if (work->refused != NULL &&
		work->refused(work->ctx, client->kept, reply->status, problem.code) == OK) {
		errors_count(&office->worker->refused, problem.code, 1);
		finish(office, client, true);
	} else if (patience_fits(reply->status))
		come_again(office, client, reply->retry_after_s, problem.code);
	else if (begins_anew(office, client, problem.code))
		begin_anew(office, client, problem.code);
	else
		lose(office, client, problem.code);
}

static void answered(struct office *office, struct client *client)
{
	const struct load_work *work = office->worker->work;

	if (client->link.reply.status != 200) {
		refused(office, client);
		return;
	}
	client->request.path = NULL;
	client->request.body.n = 0;
	if (work->next(work->ctx, client->kept, link_body(&client->link), &client->request) != OK) {
		lose(office, client, why()->code);
		return;
	}
	if (client->request.path == NULL) {
		finish(office, client, true);
		return;
	}
	if (client->link.reply.closes)
		link_close(&client->link);
	ask(office, client);
}

/* Whatever happened on its connection. */
static void go_on(struct office *office, struct client *client)
{
	if (client->state == ASKS) {
		switch (link_is_open(&client->link) ? link_step(&client->link) : LINK_FAILED) {
		case LINK_WAITS:
			return;
		case LINK_ANSWERED:
			answered(office, client);
			return;
		case LINK_FAILED:
			connection_failed(office, client);
			return;
		}
	}
	if (link_is_open(&client->link) && link_is_over(&client->link))
		link_close(&client->link);
}

static void begin_errand(struct office *office, struct client *client)
{
	const struct worker *worker = office->worker;

	client->errand = office->next;
	client->due_us = office->next_due_us;
	client->gives_up_us = now_us() + (int64_t)(worker->plan->patience_s * 1e6);
	client->tries = client->beginnings = 0;
	make_first_request(office, client);
}

/* True when there is an errand that is due, and a client for it. */
static bool take_next(struct office *office)
{
	if (office->free_n == 0)
		return false;
	if (!office->has_next && !office->is_over) {
		office->has_next =
			agenda_take(office->worker->agenda, &office->next, &office->next_due_us);
		office->is_over = !office->has_next;
	}
	return office->has_next && office->next_due_us <= now_us();
}

static void start_what_is_due(struct office *office)
{
	for (unsigned i = 0; take_next(office) && i < STARTS; i++) {
		office->has_next = false;
		begin_errand(office, &office->clients[office->free_ones[--office->free_n]]);
	}
}

static void wake(struct office *office)
{
	const struct timer *first;
	struct client *client;

	for (unsigned i = 0; i < STARTS; i++) {
		first = timers_first(&office->timers);
		if (first == NULL || first->when_us > now_us())
			return;
		client = &office->clients[first->who];
		timers_drop(&office->timers);
		ask(office, client);
	}
}

/* Nobody waits for an answer for ever. */
static void sweep(struct office *office)
{
	const int64_t now = now_us();

	if (now - office->swept_us < SWEEP_US)
		return;
	office->swept_us = now;
	for (size_t i = 0; i < office->worker->clients_n; i++) {
		struct client *client = &office->clients[i];

		if (client->state == ASKS && client->try_ends_us < now) {
			client->link.code = "timeout";
			link_close(&client->link);
			come_again(office, client, -1, "timeout");
		}
	}
}

/* Has the alarm ring when somebody is due, or wakes. */
static void set_alarm(struct office *office)
{
	const struct timer *first = timers_first(&office->timers);
	struct itimerspec when = {{0}, {0}};
	int64_t rings = INT64_MAX;

	if (office->has_next && office->free_n > 0)
		rings = office->next_due_us;
	if (first != NULL && first->when_us < rings)
		rings = first->when_us;
	if (rings == office->rings_us || rings == INT64_MAX)
		return;
	office->rings_us = rings;
	when.it_value = (struct timespec){rings / 1000000, rings % 1000000 * 1000};
	timerfd_settime(office->alarm, TFD_TIMER_ABSTIME, &when, NULL);
}

static void hear(struct office *office, uint64_t tag)
{
	uint64_t times;

	if (tag != ALARM)
		go_on(office, &office->clients[tag]);
	else if (read(office->alarm, &times, sizeof(times)) == (ssize_t)sizeof(times))
		office->rings_us = 0;
}

static void listen_to_all(struct office *office)
{
	struct epoll_event events[EVENTS];
	int n;

	set_alarm(office);
	n = epoll_wait(office->epoll, events, EVENTS, SWEEP_US / 1000);
	for (int i = 0; i < n; i++)
		hear(office, events[i].data.u64);
}

static bool make_alarm(struct office *office)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = ALARM};

	office->alarm = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	return office->alarm >= 0 &&
	       epoll_ctl(office->epoll, EPOLL_CTL_ADD, office->alarm, &event) == 0;
}

static enum err open_office(struct worker *worker, struct office *out)
{
	const size_t n = worker->clients_n;

	*out = (struct office){.worker = worker,
		.clients = calloc(n, sizeof(*out->clients)),
		.free_ones = calloc(n, sizeof(*out->free_ones)),
		.epoll = epoll_create1(EPOLL_CLOEXEC),
		.alarm = -1,
		.swept_us = now_us()};
	if (out->clients == NULL || out->free_ones == NULL || out->epoll < 0 || !make_alarm(out))
		return fail(ERR_INTERNAL, "out-of-memory", "no room for %zu clients", n);
	for (size_t i = 0; i < n; i++) {
		struct client *client = &out->clients[i];

		link_init(&client->link);
		client->request.body = BUF(128 * 1024);
		client->kept = malloc(worker->work->keeps + 1);
		if (client->kept == NULL)
			return fail(ERR_INTERNAL, "out-of-memory", "no room for %zu clients", n);
		out->free_ones[out->free_n++] = n - 1 - i;
	}
	return timers_make(n, &out->timers);
}

static void close_office(struct office *office)
{
	for (size_t i = 0; office->clients != NULL && i < office->worker->clients_n; i++) {
		link_free(&office->clients[i].link);
		buf_free(&office->clients[i].request.body);
		free(office->clients[i].kept);
	}
	free(office->clients);
	free(office->free_ones);
	timers_free(&office->timers);
	fd_close(&office->alarm);
	fd_close(&office->epoll);
}

void *worker_run(void *of)
{
	struct worker *worker = of;
	AUTO(close_office) struct office office;

	worker->err = open_office(worker, &office);
	if (worker->err != OK)
		reason_keep(&worker->reason);
	while (worker->err == OK) {
		start_what_is_due(&office);
		if (office.is_over && office.free_n == worker->clients_n)
			break;
		listen_to_all(&office);
		wake(&office);
		sweep(&office);
	}
	return NULL;
}
