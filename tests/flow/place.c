#include "tests/flow/place.h"

#include "tests/flow/process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Reads up to the end of the headers; nobody sends more. */
static void hear(int fd)
{
	char bytes[4096];
	size_t n = 0;
	ssize_t more;

	while (n < sizeof(bytes) && memmem(bytes, n, "\r\n\r\n", 4) == NULL &&
		(more = recv(fd, bytes + n, sizeof(bytes) - n, 0)) > 0)
		n += (size_t)more;
}

static void *serve(void *of)
{
	struct place *place = of;
	int fd;

	while ((fd = accept4(place->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		struct view rest = buf_view(&place->answer);
		ssize_t sent;

		place->asked++;
		hear(fd);
		while (rest.n > 0 && (sent = send(fd, rest.p, rest.n, MSG_NOSIGNAL)) > 0)
			rest = (struct view){rest.p + sent, rest.n - (size_t)sent};
		close(fd);
	}
	return NULL;
}

void place_open(struct place *place, const char *status, const char *headers, struct view body)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t n = sizeof(address);

	*place = (struct place){.answer = BUF(1 << 20)};
	buf_fmt(&place->answer, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n",
		status, body.n, headers == NULL ? "" : headers);
	buf_add(&place->answer, body);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	place->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(place->fd >= 0 && bind(place->fd, (struct sockaddr *)&address, n) == 0 &&
			listen(place->fd, 8) == 0 &&
			getsockname(place->fd, (struct sockaddr *)&address, &n) == 0,
		"%s", strerror(errno));
	place->port = ntohs(address.sin_port);
	must(pthread_create(&place->thread, NULL, serve, place) == 0, "pthread_create");
}

void place_close(struct place *place)
{
	shutdown(place->fd, SHUT_RDWR); /* accept() returns */
	pthread_join(place->thread, NULL);
	close(place->fd);
	buf_free(&place->answer);
}
