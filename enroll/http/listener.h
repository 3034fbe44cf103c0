/* listener.h - the web server: whole, well-formed requests from loopback, and one answer each. */
#pragma once

#include "enroll/flow/current.h"
#include "enroll/http/router.h"

struct listener;

struct listener_options {
	const char *address; /* "127.0.0.1:880" */
	unsigned threads; /* one serves one connection at a time */
	const struct route *routes;
	/* Borrowed. Each request holds one snapshot from its first byte to the end of its answer. */
	struct current *current;
	struct tally *tally; /* gets what devices were answered; NULL: these are not devices */
	struct traffic *traffic; /* gets all that was answered */
};

/* Begins to serve. `*out` is the caller's, for listener_stop(). ERR_INTERNAL "listen". */
CHECKED enum err listener_start(const struct listener_options *options, struct listener **out);

/*
 * From now on every request is answered 503 with `Connection: close`, also /healthz, so that the
 * edge looks elsewhere. Then waits until those in flight have been answered, at most `seconds`;
 * returns how many were left.
 */
unsigned listener_drain(struct listener *listener, unsigned seconds);
void listener_stop(struct listener **listener);
