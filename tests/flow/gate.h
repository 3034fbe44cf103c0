/* gate.h - stands in a service's place: requests wait at it until a test lets them through. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define GATE_LINES 256 /* connections in its life */
#define GATE_REMEMBERS 8 /* requests, the last ones */
#define GATE_PATH 64

struct gate {
	int fd;
	pthread_t porter;
	struct gate_line {
		struct gate *gate;
		pthread_t thread;
		int fd;
	} lines[GATE_LINES];
	size_t lines_n;
	/* What follows is the lock's. */
	pthread_mutex_t lock;
	pthread_cond_t moved;
	char paths[GATE_REMEMBERS][GATE_PATH];
	size_t came; /* requests that are no health checks */
	size_t passes; /* so many more go through at once */
	bool is_over;
};

/* Listens at this port of 127.0.0.1; health checks are answered always. Nothing goes through before gate_let(). */
void gate_open(struct gate *gate, int port);
/* Ends all connections. */
void gate_close(struct gate *gate);

/* Lets so many through, those that wait first; each is answered with 200. */
void gate_let(struct gate *gate, size_t n);
/* Nobody goes through any more who has not yet. */
void gate_shut(struct gate *gate);
/* Waits up to 10 s until so many have come since it was opened. */
bool gate_sees(struct gate *gate, size_t n);
/* Copies the path of the nth that came, from 1; it is one of the last. */
void gate_path(struct gate *gate, size_t n, char out[static GATE_PATH]);
