#include "tests/bench/endorse-bench/link.h"

#include "enroll/proto/limits.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define READ_AT_ONCE (16u * 1024) /* a TLS record */

void link_init(struct link *link)
{
	*link = (struct link){.fd = -1,
		.out = BUF(LIMIT_ENROLL_BODY + 4096),
		.in = BUF(LOAD_ANSWER_MAX + READ_AT_ONCE)};
}

void link_free(struct link *link)
{
	link_close(link);
	buf_free(&link->out);
	buf_free(&link->in);
}

bool link_is_open(const struct link *link)
{
	return link->fd >= 0;
}

void link_close(struct link *link)
{
	if (link->tls != NULL && link->is_ready && link->code == NULL)
		SSL_shutdown(link->tls);
	SSL_free(link->tls);
	link->tls = NULL;
	fd_close(&link->fd);
	ERR_clear_error();
}

/* 127.0.1.1 and on: the edge counts by source, and one machine has 2^24 addresses of its own. */
static bool bind_source(int fd, size_t source)
{
	const size_t n = source - 1;
	struct sockaddr_in from = {.sin_family = AF_INET};
	int yes = 1;

	from.sin_addr.s_addr =
		htonl(0x7f000000u | (uint32_t)((1 + n / 250) << 8) | (uint32_t)(1 + n % 250));
	/* The port is drawn at connect(), where it need not be free for all addresses. */
	return setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes)) == 0 &&
	       bind(fd, (const struct sockaddr *)&from, sizeof(from)) == 0;
}

static bool connect_to(struct link *link, const struct target *target, size_t source)
{
	int yes = 1;

	link->fd = socket(target->address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (link->fd < 0 || (source > 0 && !bind_source(link->fd, source)))
		return false;
	setsockopt(link->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	return connect(link->fd, (const struct sockaddr *)&target->address, target->address_n) ==
		       0 ||
	       errno == EINPROGRESS;
}

static bool start_tls(struct link *link, const struct target *target)
{
	link->tls = SSL_new(target->tls);
	if (link->tls == NULL || SSL_set_fd(link->tls, link->fd) != 1)
		return false;
	SSL_set_connect_state(link->tls);
	return SSL_set_tlsext_host_name(link->tls, target->host) == 1;
}

bool link_open(struct link *link, struct target *target, size_t source, int epoll, uint64_t tag)
{
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.u64 = tag};

	link->is_ready = !target->is_tls;
	link->answers = 0;
	link->code = NULL;
	if (connect_to(link, target, source) && (!target->is_tls || start_tls(link, target)) &&
		epoll_ctl(epoll, EPOLL_CTL_ADD, link->fd, &event) == 0)
		return true;
	link->code = "connection";
	link_close(link);
	return false;
}

/* The room stays, for the next one. */
static void empty(struct buf *buf)
{
	buf->n = 0;
	buf->failed = false;
}

void link_ask(struct link *link, const struct target *target, const struct load_request *request)
{
	empty(&link->out);
	empty(&link->in);
	link->out_n = 0;
	link->reply = (struct reply){.status = 0};
	buf_fmt(&link->out, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: endorse-bench\r\n",
		request->method, request->path, target->authority);
	if (request->body.n > 0)
		buf_fmt(&link->out, "Content-Type: %s\r\nContent-Length: %zu\r\n", request->type,
			request->body.n);
	buf_str(&link->out, "\r\n");
	buf_add(&link->out, buf_view(&request->body));
}

static enum link_event broken(struct link *link, const char *code)
{
	link->code = code;
	return LINK_FAILED;
}

/* What libssl could not do now, or at all. */
static enum link_event tls_stopped(struct link *link, int result)
{
	switch (SSL_get_error(link->tls, result)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return LINK_WAITS;
	case SSL_ERROR_SSL:
		if (!link->is_ready && SSL_get_verify_result(link->tls) != X509_V_OK)
			return broken(link, "tls-certificate");
		return broken(link, "tls");
	default:
		return broken(link, "connection");
	}
}

static enum link_event socket_stopped(struct link *link, ssize_t result)
{
	if (result < 0 && (errno == EAGAIN || errno == EINPROGRESS || errno == ENOTCONN))
		return LINK_WAITS;
	return broken(link, "connection");
}

/* Returns LINK_ANSWERED when it is all sent. */
static enum link_event push(struct link *link)
{
	while (link->out_n < link->out.n) {
		const uint8_t *p = link->out.p + link->out_n;
		const size_t n = link->out.n - link->out_n;
		ssize_t done = link->tls != NULL ? SSL_write(link->tls, p, (int)n)
						 : send(link->fd, p, n, MSG_NOSIGNAL);

		if (done <= 0)
			return link->tls != NULL ? tls_stopped(link, (int)done)
						 : socket_stopped(link, done);
		link->out_n += (size_t)done;
	}
	return LINK_ANSWERED;
}

static enum link_event pull(struct link *link)
{
	uint8_t bytes[READ_AT_ONCE];

	for (;;) {
		ssize_t n = link->tls != NULL ? SSL_read(link->tls, bytes, sizeof(bytes))
					      : recv(link->fd, bytes, sizeof(bytes), 0);

		if (n <= 0)
			return link->tls != NULL ? tls_stopped(link, (int)n)
						 : socket_stopped(link, n);
		buf_add(&link->in, (struct view){bytes, (size_t)n});
		switch (reply_read(&link->reply, buf_view(&link->in), LOAD_ANSWER_MAX)) {
		case REPLY_WHOLE:
			link->answers++;
			return LINK_ANSWERED;
		case REPLY_BAD:
			return broken(link, "http");
		case REPLY_PART:
			break;
		}
	}
}

enum link_event link_step(struct link *link)
{
	enum link_event event;

	ERR_clear_error();
	if (!link->is_ready) {
		const int result = SSL_do_handshake(link->tls);

		if (result != 1)
			return tls_stopped(link, result);
		link->is_ready = true;
	}
	event = push(link);
	return event == LINK_ANSWERED ? pull(link) : event;
}

struct view link_body(const struct link *link)
{
	return (struct view){link->in.p + link->reply.head_n, link->reply.body_n};
}

bool link_is_over(struct link *link)
{
	uint8_t byte;
	int result;

	ERR_clear_error();
	if (link->tls == NULL)
		return recv(link->fd, &byte, 1, MSG_PEEK) == 0;
	result = SSL_read(link->tls, &byte, 1);
	return result > 0 || tls_stopped(link, result) == LINK_FAILED;
}
