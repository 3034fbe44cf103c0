/* httpc.h - an HTTP/1.1 client that sends exactly what a test wants, plain or through TLS. */
#pragma once

#include "ca/base/buf.h"

#include <openssl/ssl.h>

/* Where to connect to. Strings are borrowed. */
struct httpc_peer {
	int port; /* of 127.0.0.1 */
	const char *roots; /* PEM file: TLS, and the peer is judged by these; NULL: plain */
	const char *certificate, *key; /* PEM files of the client; may be NULL */
	const char *headers; /* lines that httpc_post() and httpc_get() add, each with its CRLF */
};

struct httpc {
	int fd;
	SSL_CTX *ctx;
	SSL *ssl;
};

/* False when nobody listens or the handshake fails. Nothing waits longer than `timeout_ms`. */
bool httpc_open(struct httpc *httpc, const struct httpc_peer *peer, int timeout_ms);
void httpc_close(struct httpc *httpc);
/* Does somebody listen there? `port` is an int *; for wait_until(). */
bool httpc_listens(void *port);
/* False when the peer does not take it all. */
bool httpc_send(struct httpc *httpc, struct view bytes);

struct httpc_answer {
	int status; /* 0: none came */
	struct buf head; /* status line and headers */
	struct buf body;
	bool whole; /* the body is as long as the headers say */
};
void httpc_answer_free(struct httpc_answer *answer);

/*
 * Reads one answer; false when none came within the time, or the connection ended before its end.
 * `answer` is overwritten.
 */
bool httpc_receive(struct httpc *httpc, struct httpc_answer *answer, int timeout_ms);

/* The value of the first header of this name, for free(); NULL when there is none. */
char *httpc_header(const struct httpc_answer *answer, const char *name);

/* One request on a connection of its own, waited for at most 30 s. The status is 0 on any failure. */
void httpc_post(const struct httpc_peer *peer, const char *path, struct view json,
	struct httpc_answer *answer);
void httpc_get(const struct httpc_peer *peer, const char *path, struct httpc_answer *answer);
/* From now on `watch` is shown every request of httpc_ask() and its answer; NULL: nobody is. For tests of one thread. */
void httpc_watched(void (*watch)(
	const char *method, const char *path, struct view body, const struct httpc_answer *answer));
/* Any method, with this body (none: no Content-Length) and further header lines. */
void httpc_ask(const struct httpc_peer *peer, const char *method, const char *path,
	const char *headers, struct view body, struct httpc_answer *answer);
