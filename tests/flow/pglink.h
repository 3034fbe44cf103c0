/* pglink.h - one connection through the proxy, read message by message (PostgreSQL 55.7). */
#pragma once

#include "ca/base/buf.h"

#define PGLINK_STATEMENTS 512
#define PGLINK_PENDING 256
#define PGLINK_PARSED_LATE                                                                         \
	2 /* counted as a type: a Parse behind the first Sync of its connection */
#define PGLINK_LOOK                                                                                \
	1 /* counted as a type: a trip that the service makes by itself, every now and then */

/* What a link asks of, and tells, the proxy that it belongs to. */
struct pglink_owner {
	void *arg;
	void (*count)(void *arg, char type);
	/* The text to look for in statements; NULL: none now. */
	const char *(*wanted)(void *arg);
	/* A transaction with that text is about to be committed, or has been; true: cut the link. */
	bool (*caught)(void *arg, bool committed);
};

struct pglink {
	struct pglink_owner owner;
	int front, back; /* -1: the link is not in use */
	bool started; /* the startup message, which has no type, is through */
	struct buf from_front, from_back;
	char *statements[PGLINK_STATEMENTS]; /* names of prepared statements with their text */
	char *texts[PGLINK_STATEMENTS];
	bool marked; /* the wanted text occurred since the last Sync or Query */
	bool inside; /* ... and in a transaction block that is still open */
	bool pending[PGLINK_PENDING]; /* for each answer awaited: was its question marked? */
	size_t asked, answered;
};

void pglink_open(struct pglink *link, const struct pglink_owner *owner, int front, int back);
void pglink_close(struct pglink *link);
/* Pass on what the service, or the server, has sent; false: the link has to be closed. */
bool pglink_forward(struct pglink *link);
bool pglink_backward(struct pglink *link);
