/* query.h - the query of a URL, for the few routes that take one. */
#pragma once

#include "ca/base/err.h"

#include <stddef.h>

#define QUERY_KEYS 16
#define QUERY_TEXT 2048 /* bytes of all values, decoded, each with its NUL */

/* What a route takes; a table ends with name NULL. */
struct query_key {
	const char *name;
	size_t max; /* bytes of the decoded value, which has at least one */
};

/* What was sent: `value` by the place in the table, NULL where it was not. */
struct query {
	const char *value[QUERY_KEYS];
	char text[QUERY_TEXT]; /* what they point into */
	size_t used;
};

/*
 * Reads "name=value&name=value" (RFC 3986 3.4), percent-decoded, where "+" stands for itself. `text`
 * NULL: no query. Each name is one of the table, and there once; a value is printable ASCII.
 * ERR_MALFORMED "query" (not of that form, a name twice), "query-unknown", "query-value" (empty, too
 * long, not printable).
 */
CHECKED enum err query_read(const char *text, const struct query_key *keys, struct query *out);
