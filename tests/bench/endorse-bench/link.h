/* link.h - one client's connection: opened, used and closed without ever waiting. */
#pragma once

#include "tests/bench/endorse-bench/load.h"
#include "tests/bench/endorse-bench/reply.h"
#include "tests/bench/endorse-bench/target.h"

enum link_event {
	LINK_WAITS, /* for the network: call again when epoll tells */
	LINK_ANSWERED, /* `reply` and link_body() have it */
	LINK_FAILED, /* `code` says how: "connection", "tls", "tls-certificate", "http" */
};

/* Zeroes but for fd -1 are a closed one. */
struct link {
	int fd;
	SSL *tls;
	bool is_ready; /* TLS is up */
	size_t answers; /* that came on it */
	struct buf out, in;
	size_t out_n; /* bytes of `out` that were sent */
	struct reply reply;
	const char *code;
};

void link_init(struct link *link);
void link_free(struct link *link);

/*
 * Opens a connection from a local address (0: any; n: 127.0.x.y) and has `epoll` tell `tag` of
 * whatever happens on it, once for each change. False when there is no socket to be had.
 */
bool link_open(struct link *link, struct target *target, size_t source, int epoll, uint64_t tag);
bool link_is_open(const struct link *link);
/* Says goodbye, without waiting for an answer. */
void link_close(struct link *link);

/* The request that link_step() sends next, and whose answer it takes. Keeps nothing of it. */
void link_ask(struct link *link, const struct target *target, const struct load_request *request);
/* As far as it goes now. */
enum link_event link_step(struct link *link);
struct view link_body(const struct link *link); /* until the next request */
/* Has the other side closed it, while nothing was asked? */
bool link_is_over(struct link *link);
