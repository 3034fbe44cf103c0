/* exchange.h - one HTTP request that was read whole, and the answer that is being made. */
#pragma once

#include "ca/base/buf.h"
#include "enroll/flow/credential.h"
#include "enroll/http/query.h"
#include "enroll/proto/limits.h"

/* Seconds that caches may keep what tells of revocations: so long they hide one. */
#define NEWS_WITHIN 60

/* What a handler gets and fills in. Strings are borrowed and never NULL. */
struct exchange {
	const char *method, *path; /* the path without the query */
	struct query query; /* by the route's table */
	struct view body;
	struct caller caller;
	struct admitted admitted; /* of the admin listener: who he is */
	struct outcome outcome;
	/* the answer */
	const char *content_type; /* "application/json" unless set */
	bool is_immutable; /* what this path has will never be anything else: caches may keep it */
	unsigned max_age; /* seconds that caches may keep it; 0: not at all */
	struct buf headers; /* further ones of an answer that is no refusal, each with its CRLF */
	bool is_for_admins; /* a 401 tells what is wanted (RFC 9110 15.5.2) */
	bool for_operator; /* who asks runs the service, and may see what is wrong on our side */
	struct buf answer;
	struct buf problems; /* of a refusal that has a list of them, one a line */
};

/* Who may call a route. */
enum admission {
	ADMIT_NOBODY, /* a row that forgot to say */
	ADMIT_ALL, /* /healthz only */
	ADMIT_EDGE, /* the request carries the edge's secret */
	/* Of the admin listener: who asks has at least this role. */
	ADMIT_AUDITOR, /* reads */
	ADMIT_OPERATOR, /* and registers, approves, unbinds */
	ADMIT_ADMIN, /* and revokes, and changes templates, vendors, tokens, operators */
};

/* One row of a router's table. The handler's error becomes problem+json, OK becomes 200. */
struct route {
	const char *method;
	const char
		*path; /* matched exactly; one that ends with a slash: with one segment behind it,
			  with a slash and a star: with whatever is behind the slash */
	enum admission admission;
	size_t body_limit; /* 0: no body */
	enum err (*handle)(const struct service *service, struct exchange *exchange);
	const char *event; /* what the log calls it: "enroll" */
	const struct query_key *query; /* NULL: it takes none */
	bool is_polled; /* asked so often that only refusals are logged */
};
