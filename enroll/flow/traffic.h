/* traffic.h - what this server has answered since it started: by route, outcome, reason, and how fast. */
#pragma once

#include "ca/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct traffic; /* safe from any thread */

/* `*out` is the caller's, for traffic_free(). */
CHECKED enum err traffic_make(struct traffic **out);
void traffic_free(struct traffic **traffic);

/* One answer. Texts that are kept (method, route) live as long as the program. */
struct traffic_answer {
	const char *method, *route; /* of the route's row; route NULL: no route has this path */
	bool is_attested; /* a device's own request: counted by outcome and reason too */
	enum err err;
	const char *outcome; /* with OK: "issued", ...; "" when there is no word for it */
	const char *reason; /* of what was refused: a code, copied */
	int64_t us; /* how long it took */
};

/*
 * Counts it. Routes and reasons are words of this program, so whatever strangers send adds to a count and never makes
 * a new kind of one; beyond the room that there is they are counted as "other".
 */
void traffic_add(struct traffic *traffic, const struct traffic_answer *answer);

/* Appends all of it as metrics (Prometheus text format 0.0.4). */
void traffic_write(struct traffic *traffic, struct buf *out);
