/* response.h - the answer as it goes over the wire, and its line in the log; for this folder only. */
#pragma once

#include "enroll/http/exchange.h"

#define HTTP_DATE_SIZE 32
/* A time as HTTP writes it (RFC 9110 5.6.7), in seconds since 1970. */
void http_date(int64_t when, char out[static HTTP_DATE_SIZE]);

struct mg_connection;

/* Seconds, drawn for each answer; devices add their own jitter. */
#define RETRY_AFTER_FIRST 3
#define RETRY_AFTER_LAST 10

/*
 * Sends the exchange's answer, or the problem that `err` is, in one write, and logs the event. What
 * is wrong on our side (fail()) goes to the log under its own code and to the caller as "internal"
 * or "busy". Returns the HTTP status.
 */
int response_send(struct mg_connection *connection, struct exchange *exchange,
	const struct route *route, enum err err, bool close);
