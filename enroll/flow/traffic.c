#include "enroll/flow/traffic.h"

#include "ca/base/mem.h"
#include "enroll/flow/exposition.h"
#include "enroll/flow/histogram.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUTES 160 /* more than both listeners have */
#define REASONS 512 /* pairs of a route and a reason that were seen */
#define STATUSES (ERR_BUSY + 1)

struct route_count {
	const char *method, *route;
	uint64_t status[STATUSES];
	struct histogram histogram;
};

struct reason_count {
	const char *route;
	char outcome[16], reason[72];
	uint64_t n;
};

struct traffic {
	pthread_mutex_t mutex; /* over what follows */
	struct route_count routes[ROUTES];
	size_t routes_n;
	struct reason_count reasons[REASONS];
	size_t reasons_n;
};

enum err traffic_make(struct traffic **out)
{
	AUTO(mem_free) struct traffic *traffic = calloc(1, sizeof(*traffic));

	if (traffic == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "traffic_make");
	pthread_mutex_init(&traffic->mutex, NULL);
	*out = MOVE(traffic);
	return OK;
}

void traffic_free(struct traffic **traffic)
{
	if (*traffic == NULL)
		return;
	pthread_mutex_destroy(&(*traffic)->mutex);
	free(*traffic);
	*traffic = NULL;
}

/* What a stranger made up, a method or a path, is in no label. */
static struct route_count *count_of(struct traffic *traffic, const char *method, const char *route)
{
	struct route_count *counts = traffic->routes;
	size_t i = 0;

	while (i < traffic->routes_n &&
		(strcmp(counts[i].route, route) != 0 || strcmp(counts[i].method, method) != 0))
		i++;
	/* The last place is kept for all that does not fit. */
	if (i >= ROUTES - 1) {
		i = ROUTES - 1;
		method = route = "other";
	}
	if (i >= traffic->routes_n) {
		counts[i] = (struct route_count){.method = method, .route = route};
		traffic->routes_n = i + 1;
	}
	return &counts[i];
}

static void count_reason(
	struct traffic *traffic, const char *route, const char *outcome, const char *reason)
{
	struct reason_count *counts = traffic->reasons;
	size_t i = 0;

	while (i < traffic->reasons_n &&
		(strcmp(counts[i].reason, reason) != 0 || strcmp(counts[i].outcome, outcome) != 0 ||
			strcmp(counts[i].route, route) != 0))
		i++;
	if (i >= REASONS - 1) {
		i = REASONS - 1;
		route = outcome = reason = "other";
	}
	if (i >= traffic->reasons_n) {
		counts[i].route = route;
		snprintf(counts[i].outcome, sizeof(counts[i].outcome), "%s", outcome);
		snprintf(counts[i].reason, sizeof(counts[i].reason), "%s", reason);
		traffic->reasons_n = i + 1;
	}
	counts[i].n++;
}

static const char *outcome_of(const struct traffic_answer *answer)
{
	switch (answer->err) {
	case OK:
		return answer->outcome[0] == '\0' ? "done" : answer->outcome;
	case ERR_PENDING:
		return "held";
	case ERR_BUSY:
	case ERR_INTERNAL:
		return "failed";
	default:
		return "refused";
	}
}

void traffic_add(struct traffic *traffic, const struct traffic_answer *answer)
{
	bool is_known = answer->route != NULL;
	const char *method = is_known ? answer->method : "any";
	const char *route = is_known ? answer->route : "none";
	struct route_count *count;

	pthread_mutex_lock(&traffic->mutex);
	count = count_of(traffic, method, route);
	count->status[answer->err < STATUSES ? answer->err : ERR_INTERNAL]++;
	histogram_add(&count->histogram, answer->us);
	if (answer->is_attested)
		count_reason(traffic, route, outcome_of(answer),
			answer->err == OK ? "" : answer->reason);
	pthread_mutex_unlock(&traffic->mutex);
}

static void write_requests(const struct traffic *traffic, struct buf *out)
{
	exposition_head(out, "endorse_http_requests_total", "counter",
		"Requests that were answered, by route and HTTP status");
	for (size_t i = 0; i < traffic->routes_n; i++)
		for (int err = 0; err < STATUSES; err++)
			if (traffic->routes[i].status[err] > 0)
				buf_fmt(out,
					"endorse_http_requests_total{method=\"%s\",route=\"%s\","
					"status=\"%d\"} %llu\n",
					traffic->routes[i].method, traffic->routes[i].route,
					err_http((enum err)err),
					(unsigned long long)traffic->routes[i].status[err]);
}

static void write_latencies(const struct traffic *traffic, struct buf *out)
{
	static const char name[] = "endorse_http_request_duration_seconds";
	char labels[256];

	exposition_head(
		out, name, "histogram", "From the request's headers to the end of its answer");
	for (size_t i = 0; i < traffic->routes_n; i++) {
		snprintf(labels, sizeof(labels), "method=\"%s\",route=\"%s\"",
			traffic->routes[i].method, traffic->routes[i].route);
		histogram_write(&traffic->routes[i].histogram, name, labels, out);
	}
}

static void write_outcomes(const struct traffic *traffic, struct buf *out)
{
	const struct reason_count *counts = traffic->reasons;

	exposition_head(out, "endorse_enrollments_total", "counter",
		"What devices were answered, by outcome and reason code");
	for (size_t i = 0; i < traffic->reasons_n; i++)
		buf_fmt(out,
			"endorse_enrollments_total{route=\"%s\",outcome=\"%s\",reason=\"%s\"} "
			"%llu\n",
			counts[i].route, counts[i].outcome, counts[i].reason,
			(unsigned long long)counts[i].n);
}

static bool is_ticket(const char *reason)
{
	return strncmp(reason, "ticket-", strlen("ticket-")) == 0;
}

static void write_tickets(const struct traffic *traffic, struct buf *out)
{
	const struct reason_count *counts = traffic->reasons;

	exposition_head(out, "endorse_tickets_refused_total", "counter",
		"Tickets that came back and were not taken, by reason code");
	for (size_t i = 0; i < traffic->reasons_n; i++)
		if (is_ticket(counts[i].reason))
			buf_fmt(out,
				"endorse_tickets_refused_total{route=\"%s\",reason=\"%s\"} %llu\n",
				counts[i].route, counts[i].reason, (unsigned long long)counts[i].n);
}

void traffic_write(struct traffic *traffic, struct buf *out)
{
	AUTO(mem_free) struct traffic *seen = malloc(sizeof(*seen));

	if (seen == NULL) {
		out->failed = true;
		return;
	}
	/* Written from a copy: nobody's request waits for whoever reads this. */
	pthread_mutex_lock(&traffic->mutex);
	*seen = *traffic;
	pthread_mutex_unlock(&traffic->mutex);
	write_outcomes(seen, out);
	write_tickets(seen, out);
	write_requests(seen, out);
	write_latencies(seen, out);
}
