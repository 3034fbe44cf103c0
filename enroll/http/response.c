#include "enroll/http/response.h"

#include "ca/base/clock.h"
#include "ca/base/crypt.h"
#include "ca/base/log.h"
#include "enroll/proto/attempts.h"
#include "enroll/proto/problem.h"

#include <civetweb.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* What the caller may know of a failure on our side. */
static struct reason public_reason(
	const struct exchange *exchange, const struct reason *reason, enum err err)
{
	if (reason->clause[0] != '\0')
		return *reason;
	if (err == ERR_BUSY && exchange->for_operator)
		return (struct reason){ERR_BUSY, "busy", reason->code, reason->sentence};
	if (err == ERR_BUSY)
		return (struct reason){ERR_BUSY, "busy", "RFC 9110 15.6.4",
			"the service cannot do this just now: try again"};
	return (struct reason){ERR_INTERNAL, "internal", "RFC 9110 15.6.1",
		"something failed in the service; its operator finds it in the log under this "
		"request_id"};
}

static int priority_of(enum err err)
{
	switch (err) {
	case OK:
		return LOG_INFO;
	case ERR_INTERNAL:
		return LOG_ERR;
	case ERR_BUSY:
		return LOG_WARNING;
	default:
		return LOG_NOTICE;
	}
}

/* NULL leaves a pair out. */
static const char *filled(const char *text)
{
	return text[0] == '\0' ? NULL : text;
}

static void log_exchange(const struct exchange *exchange, const struct route *route,
	const struct reason *reason, enum err err)
{
	const struct outcome *outcome = &exchange->outcome;
	const char *name = route == NULL ? "request" : route->event;
	char event[64];

	if (name == NULL || (err == OK && route != NULL && route->is_polled))
		return;
	snprintf(event, sizeof(event), "%s.%s", name,
		err == ERR_PENDING		? "held"
		: err != OK			? "refused"
		: filled(outcome->what) != NULL ? outcome->what
						: "done");
	log_line(priority_of(err), event, "who", exchange->caller.who, "host",
		filled(outcome->host), "device", filled(outcome->device_id), "rule",
		filled(outcome->rule), "templates", filled(outcome->templates), "proven",
		outcome->is_proven ? "yes" : NULL, "tag", outcome->is_untagged ? "none" : NULL,
		"recorded", outcome->is_unrecorded ? "no" : NULL, "remark", filled(outcome->remark),
		"attempt", filled(outcome->attempt), "reason", err == OK ? NULL : reason->code,
		"why", err == OK ? NULL : reason->sentence, "trust", filled(outcome->trust),
		"policy", filled(outcome->policy), "rules", outcome->is_moved ? "moved" : NULL,
		"from", exchange->caller.client_address, "request", exchange->caller.request_id,
		LOG_END);
}

static enum err encode_problem(struct exchange *exchange, const struct reason *reason)
{
	const char *request_id = exchange->caller.request_id;

	if (reason->err == ERR_PENDING && exchange->outcome.attempt[0] != '\0')
		return problem_encode_attempt(
			reason, request_id, exchange->outcome.attempt, &exchange->answer);
	if (exchange->problems.n > 0)
		return problem_encode_list(
			reason, request_id, buf_view(&exchange->problems), &exchange->answer);
	return problem_encode(reason, request_id, &exchange->answer);
}

static void problem(struct exchange *exchange, const struct reason *reason)
{
	buf_free(&exchange->answer);
	exchange->content_type = "application/problem+json";
	if (encode_problem(exchange, reason) != OK)
		buf_free(&exchange->answer);
}

void http_date(int64_t when, char out[static HTTP_DATE_SIZE])
{
	time_t t = (time_t)when;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(out, HTTP_DATE_SIZE, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

/* RFC 9110 6.6.1: whoever has a clock tells the time; devices compare theirs with it. */
static void add_date(struct buf *out)
{
	char text[HTTP_DATE_SIZE];

	http_date(clock_now(), text);
	buf_fmt(out, "Date: %s\r\n", text);
}

/* What policy or the step said, or by chance, so that those who heard it together do not come together. */
static unsigned retry_after(const struct exchange *exchange)
{
	uint8_t dice = 0;

	if (exchange->outcome.retry_after > 0)
		return exchange->outcome.retry_after;
	if (random_bytes(&dice, sizeof(dice)) != OK)
		return RETRY_AFTER_LAST;
	return RETRY_AFTER_FIRST + dice % (RETRY_AFTER_LAST - RETRY_AFTER_FIRST + 1);
}

static void head(struct buf *out, const struct exchange *exchange, enum err err, bool close)
{
	buf_fmt(out, "HTTP/1.1 %d %s\r\n", err_http(err), err_title(err));
	buf_fmt(out, "Content-Type: %s\r\nContent-Length: %zu\r\n", exchange->content_type,
		exchange->answer.n);
	if (err == OK && exchange->is_immutable)
		buf_str(out, "Cache-Control: public, max-age=31536000, immutable\r\n");
	else if (err == OK && exchange->max_age > 0)
		buf_fmt(out, "Cache-Control: public, max-age=%u\r\n", exchange->max_age);
	else
		buf_str(out, "Cache-Control: no-store\r\n");
	add_date(out);
	if (err == OK)
		buf_add(out, buf_view(&exchange->headers));
	if (err == ERR_BUSY || err == ERR_LIMITED || err == ERR_PENDING)
		buf_fmt(out, "Retry-After: %u\r\n", retry_after(exchange));
	if (err == ERR_UNPROVEN && exchange->is_for_admins)
		buf_str(out, "WWW-Authenticate: Bearer\r\n");
	buf_fmt(out, "Connection: %s\r\n\r\n", close ? "close" : "keep-alive");
}

int response_send(struct mg_connection *connection, struct exchange *exchange,
	const struct route *route, enum err err, bool close)
{
	AUTO(buf_free) struct buf wire = BUF(LIMIT_ADMIN_ANSWER + 2048);
	struct reason shown;

	if (err != OK) {
		shown = public_reason(exchange, why(), err);
		log_exchange(exchange, route, why(), err);
		err = shown.err;
		problem(exchange, &shown);
	} else {
		log_exchange(exchange, route, NULL, OK);
	}
	head(&wire, exchange, err, close);
	buf_add(&wire, buf_view(&exchange->answer));
	if (buf_ok(&wire) == OK)
		mg_write(connection, wire.p, wire.n);
	return err_http(err);
}
