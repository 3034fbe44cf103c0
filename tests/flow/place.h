/* place.h - an HTTP server on 127.0.0.1 that has one answer for everybody, and counts who asks. */
#pragma once

#include "ca/base/buf.h"

#include <pthread.h>

struct place {
	int fd, port;
	pthread_t thread;
	struct buf answer; /* status line, headers and body */
	int asked; /* after place_close() */
};

/* Answers with this status line ("200 OK"), header lines (each with its CRLF; NULL: none) and body. */
void place_open(struct place *place, const char *status, const char *headers, struct view body);
void place_close(struct place *place);
