/* request.h - what is asked of a request before anybody looks at what it says; for this folder
 * only. */
#pragma once

#include "enroll/http/exchange.h"

struct mg_connection;

#define REQUEST_ID_SIZE 33

/* Begins an exchange: method, path, who asks, and a new random request id. */
void exchange_init(struct exchange *exchange, struct mg_connection *connection,
	char request_id[static REQUEST_ID_SIZE]);
void exchange_free(struct exchange *exchange); /* for AUTO */

/*
 * Refuses what could be read in two ways: too many headers, the same framing or x-endorse-* header
 * twice, a chunked body. ERR_MALFORMED "http-headers", "edge-header-twice"; ERR_NO_LENGTH
 * "length-required".
 */
CHECKED enum err request_judge(struct mg_connection *connection);

/*
 * Reads the query by the route's table. ERR_NOT_FOUND "route-unknown" where there is one and the
 * route takes none; those of query_read().
 */
CHECKED enum err request_query(
	struct mg_connection *connection, const struct query_key *keys, struct query *out);

/* The value of the first header of this name, in whatever case; NULL: there is none. */
const char *request_header(struct mg_connection *connection, const char *name);

/* Has it any header that only an edge may set? */
bool request_is_edges(struct mg_connection *connection);

/*
 * Reads the body, counted while it comes. ERR_NO_LENGTH "length-required"; ERR_TOO_LARGE
 * "body-too-large"; ERR_MALFORMED "body-short".
 */
CHECKED enum err request_body(struct mg_connection *connection, size_t limit, struct buf *body);
