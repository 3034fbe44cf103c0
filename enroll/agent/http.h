/* http.h - requests to one service: https only, its chain to our anchors, no redirect followed. */
#pragma once

#include "enroll/agent/anchor.h"
#include "enroll/agent/retry.h"
#include "enroll/proto/problem.h"

#define HTTP_SERVER_MAX 1023

struct http;

struct http_options {
	const char *server; /* https://name[:port][/path], no slash at the end */
	const char *proxy; /* NULL: none; the environment is not asked */
	struct anchors *anchors; /* borrowed; a pinned one may be found in the first handshake */
};

/* `text` without slashes at its end, for free(); ERR_MALFORMED "usage" when it is no such URL. */
CHECKED enum err http_server_parse(const char *text, char **out);

/* `*out` is the caller's, for http_close(); nothing is sent yet. */
CHECKED enum err http_open(const struct http_options *options, struct http **out);
void http_close(struct http **http);

/*
 * POSTs JSON to a path of the service, again and again within `retry` while the service is away (no
 * connection, a time-out, 408, 429, 502, 503, 504). OK: `answer` holds the body of a 200.
 * ERR_DENIED "service-refused": `problem` says why. ERR_PENDING "service-pending": an admin is to
 * decide, `problem` says of which attempt, where there is one. ERR_BUSY "service-away"; ERR_DENIED
 * "service-not-trusted" when TLS does not lead to an anchor; ERR_MALFORMED "service-answer" for any
 * other failure of the transfer, and for an answer that is no Endorse service's;
 * ERR_INTERNAL "interrupted".
 */
CHECKED enum err http_post(struct http *http, const char *path, struct view json,
	struct retry *retry, struct buf *answer, struct problem *problem);

/* The same with GET. */
CHECKED enum err http_fetch(struct http *http, const char *path, struct retry *retry,
	struct buf *answer, struct problem *problem);

/* The seconds that the last answer's Retry-After asked for; -1 without one. */
int64_t http_retry_after(struct http *http);

/* What came of a GET, good or not. */
struct http_visit {
	long status; /* 0: no answer */
	int64_t date; /* of the answer's Date header, in seconds since 1970; -1: none */
	bool is_name_wrong; /* TLS led to an anchor, but the certificate is for another name */
	char words[256]; /* why there is no answer, "" otherwise */
};

/*
 * GETs a path of the service, once; appends the body, as far as it fits. Every outcome is in `out`:
 * this is for who wants to know what is there.
 */
void http_get(struct http *http, const char *path, struct buf *body, struct http_visit *out);
