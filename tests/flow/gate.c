#include "tests/flow/gate.h"

#include "tests/flow/process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_MAX 16384
#define WAIT_S 10

/* Reads one request, headers and body; false when the connection ended. `n` bytes of it were there already. */
static bool hear(int fd, char request[static REQUEST_MAX], size_t *n)
{
	for (;;) {
		const char *end, *length;
		size_t whole;
		ssize_t got;

		request[*n] = '\0';
		end = strstr(request, "\r\n\r\n");
		length = strcasestr(request, "\r\ncontent-length:");
		if (end != NULL) {
			whole = (size_t)(end - request) + 4;
			if (length != NULL && length < end)
				whole += strtoul(length + 17, NULL, 10);
			if (*n >= whole) {
				*n = 0; /* the edge never sends the next before it has an answer */
				return true;
			}
		}
		if (*n == REQUEST_MAX - 1)
			return false;
		got = recv(fd, request + *n, REQUEST_MAX - 1 - *n, 0);
		if (got <= 0)
			return false;
		*n += (size_t)got;
	}
}

static void wait_to_pass(struct gate *gate, const char *request)
{
	const char *path = strchr(request, ' ');
	size_t n = path == NULL ? 0 : strcspn(path + 1, " ");

	pthread_mutex_lock(&gate->lock);
	snprintf(gate->paths[gate->came % GATE_REMEMBERS], GATE_PATH, "%.*s", (int)n,
		path == NULL ? "" : path + 1);
	gate->came++;
	pthread_cond_broadcast(&gate->moved);
	while (gate->passes == 0 && !gate->is_over)
		pthread_cond_wait(&gate->moved, &gate->lock);
	if (!gate->is_over)
		gate->passes--;
	pthread_mutex_unlock(&gate->lock);
}

static void *serve(void *of)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
	struct gate_line *line = of;
	char request[REQUEST_MAX];
	size_t n = 0;

	while (hear(line->fd, request, &n)) {
		if (strncmp(request, "GET /healthz", 12) != 0)
			wait_to_pass(line->gate, request);
		if (send(line->fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) < 0)
			break;
	}
	/* Whoever joins closes it: until then its number is nobody else's. */
	shutdown(line->fd, SHUT_RDWR);
	return NULL;
}

static void *admit(void *of)
{
	struct gate *gate = of;
	int fd;

	while ((fd = accept4(gate->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		struct gate_line *line = &gate->lines[gate->lines_n];

		must(gate->lines_n < GATE_LINES, "more than %d connections", GATE_LINES);
		*line = (struct gate_line){.gate = gate, .fd = fd};
		must(pthread_create(&line->thread, NULL, serve, line) == 0, "pthread_create");
		gate->lines_n++;
	}
	return NULL;
}

void gate_open(struct gate *gate, int port)
{
	const struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int yes = 1;

	*gate = (struct gate){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	pthread_mutex_init(&gate->lock, NULL);
	pthread_cond_init(&gate->moved, NULL);
	must(gate->fd >= 0 &&
			setsockopt(gate->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0 &&
			bind(gate->fd, (const struct sockaddr *)&at, sizeof(at)) == 0 &&
			listen(gate->fd, 64) == 0,
		"port %d: %s", port, strerror(errno));
	must(pthread_create(&gate->porter, NULL, admit, gate) == 0, "pthread_create");
}

void gate_close(struct gate *gate)
{
	shutdown(gate->fd, SHUT_RDWR); /* accept4() returns */
	pthread_join(gate->porter, NULL);
	close(gate->fd);
	pthread_mutex_lock(&gate->lock);
	gate->is_over = true;
	pthread_cond_broadcast(&gate->moved);
	pthread_mutex_unlock(&gate->lock);
	for (size_t i = 0; i < gate->lines_n; i++) {
		shutdown(gate->lines[i].fd, SHUT_RDWR);
		pthread_join(gate->lines[i].thread, NULL);
		close(gate->lines[i].fd);
	}
	pthread_cond_destroy(&gate->moved);
	pthread_mutex_destroy(&gate->lock);
}

void gate_let(struct gate *gate, size_t n)
{
	pthread_mutex_lock(&gate->lock);
	gate->passes += n;
	pthread_cond_broadcast(&gate->moved);
	pthread_mutex_unlock(&gate->lock);
}

void gate_shut(struct gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->passes = 0;
	pthread_mutex_unlock(&gate->lock);
}

bool gate_sees(struct gate *gate, size_t n)
{
	struct timespec end;
	bool has;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += WAIT_S;
	pthread_mutex_lock(&gate->lock);
	while (gate->came < n && pthread_cond_timedwait(&gate->moved, &gate->lock, &end) == 0)
		;
	has = gate->came >= n;
	pthread_mutex_unlock(&gate->lock);
	return has;
}

void gate_path(struct gate *gate, size_t n, char out[static GATE_PATH])
{
	pthread_mutex_lock(&gate->lock);
	must(n >= 1 && n <= gate->came && n + GATE_REMEMBERS > gate->came, "request %zu", n);
	snprintf(out, GATE_PATH, "%s", gate->paths[(n - 1) % GATE_REMEMBERS]);
	pthread_mutex_unlock(&gate->lock);
}
