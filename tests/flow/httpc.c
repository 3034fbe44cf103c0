#include "tests/flow/httpc.h"

#include "tests/flow/process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEAD_MAX (64 * 1024)
#define BODY_MAX (1 << 22)

static void set_timeout(int fd, int timeout_ms)
{
	struct timeval time = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
	int yes = 1;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

static int dial(int port, int timeout_ms)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	AUTO(fd_close) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int connected;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(fd >= 0, "socket: %s", strerror(errno));
	set_timeout(fd, timeout_ms);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		return -1;
	connected = fd;
	fd = -1;
	return connected;
}

static bool shake(struct httpc *httpc, const struct httpc_peer *peer)
{
	httpc->ctx = SSL_CTX_new(TLS_client_method());
	must(httpc->ctx != NULL && SSL_CTX_load_verify_file(httpc->ctx, peer->roots) == 1,
		"%s: not PEM", peer->roots);
	SSL_CTX_set_verify(httpc->ctx, SSL_VERIFY_PEER, NULL);
	if (peer->certificate != NULL)
		must(SSL_CTX_use_certificate_chain_file(httpc->ctx, peer->certificate) == 1 &&
				SSL_CTX_use_PrivateKey_file(
					httpc->ctx, peer->key, SSL_FILETYPE_PEM) == 1,
			"%s: not a certificate with its key", peer->certificate);
	httpc->ssl = SSL_new(httpc->ctx);
	return httpc->ssl != NULL && SSL_set_fd(httpc->ssl, httpc->fd) == 1 &&
	       SSL_set1_host(httpc->ssl, "localhost") == 1 &&
	       SSL_set_tlsext_host_name(httpc->ssl, "localhost") == 1 &&
	       SSL_connect(httpc->ssl) == 1;
}

bool httpc_open(struct httpc *httpc, const struct httpc_peer *peer, int timeout_ms)
{
	*httpc = (struct httpc){.fd = dial(peer->port, timeout_ms)};
	if (httpc->fd >= 0 && (peer->roots == NULL || shake(httpc, peer)))
		return true;
	httpc_close(httpc);
	return false;
}

void httpc_close(struct httpc *httpc)
{
	SSL_free(httpc->ssl);
	SSL_CTX_free(httpc->ctx);
	fd_close(&httpc->fd);
	*httpc = (struct httpc){.fd = -1};
}

static ssize_t read_some(struct httpc *httpc, uint8_t *p, size_t n)
{
	if (httpc->ssl != NULL)
		return SSL_read(httpc->ssl, p, (int)n);
	return recv(httpc->fd, p, n, 0);
}

bool httpc_listens(void *port)
{
	const struct httpc_peer peer = {.port = *(const int *)port};
	struct httpc httpc;
	bool is_open = httpc_open(&httpc, &peer, 1000);

	if (is_open)
		httpc_close(&httpc);
	return is_open;
}

bool httpc_send(struct httpc *httpc, struct view bytes)
{
	while (bytes.n > 0) {
		ssize_t n = httpc->ssl != NULL ? SSL_write(httpc->ssl, bytes.p, (int)bytes.n)
					       : send(httpc->fd, bytes.p, bytes.n, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		bytes.p += n;
		bytes.n -= (size_t)n;
	}
	return true;
}

void httpc_answer_free(struct httpc_answer *answer)
{
	buf_free(&answer->head);
	buf_free(&answer->body);
}

char *httpc_header(const struct httpc_answer *answer, const char *name)
{
	const char *line = buf_text(&answer->head);
	size_t n = strlen(name);

	while ((line = strstr(line, "\r\n")) != NULL) {
		line += 2;
		if (strncasecmp(line, name, n) == 0 && line[n] == ':') {
			const char *value = line + n + 1 + strspn(line + n + 1, " \t");

			return strndup(value, strcspn(value, "\r\n"));
		}
	}
	return NULL;
}

/* Reads single bytes, so that the body stays in the connection. */
static bool receive_head(struct httpc *httpc, struct buf *head, int64_t end)
{
	while (now_ms() < end && !head->failed) {
		uint8_t byte;

		if (read_some(httpc, &byte, 1) != 1)
			return false;
		buf_u8(head, byte);
		if (head->n >= 4 && memcmp(head->p + head->n - 4, "\r\n\r\n", 4) == 0)
			return true;
	}
	return false;
}

/* `n` bytes, or up to the end of the connection where n is SIZE_MAX. */
static bool receive_body(struct httpc *httpc, struct buf *body, size_t n, int64_t end)
{
	while (body->n < n && now_ms() < end && !body->failed) {
		uint8_t block[4096];
		size_t want = n - body->n < sizeof(block) ? n - body->n : sizeof(block);
		ssize_t got = read_some(httpc, block, want);

		if (got <= 0)
			return n == SIZE_MAX && got == 0;
		buf_add(body, (struct view){block, (size_t)got});
	}
	return body->n == n;
}

static bool receive_chunks(struct httpc *httpc, struct buf *body, int64_t end)
{
	for (;;) {
		AUTO(buf_free) struct buf line = BUF(64);
		uint8_t byte;
		size_t n;

		while (line.n < 2 || line.p[line.n - 1] != '\n') {
			if (now_ms() >= end || line.failed || read_some(httpc, &byte, 1) != 1)
				return false;
			buf_u8(&line, byte);
		}
		n = strtoul(buf_text(&line), NULL, 16);
		if (!receive_body(httpc, body, body->n + n + 2, end))
			return false;
		body->n -= 2; /* the CRLF behind it */
		if (n == 0)
			return true;
	}
}

bool httpc_receive(struct httpc *httpc, struct httpc_answer *answer, int timeout_ms)
{
	int64_t end = now_ms() + timeout_ms;
	AUTO(mem_free) char *length = NULL;
	AUTO(mem_free) char *coding = NULL;

	*answer = (struct httpc_answer){.head = BUF(HEAD_MAX), .body = BUF(BODY_MAX)};
	set_timeout(httpc->fd, timeout_ms);
	if (!receive_head(httpc, &answer->head, end) ||
		strncmp(buf_text(&answer->head), "HTTP/1.", 7) != 0)
		return false;
	answer->status = (int)strtol(buf_text(&answer->head) + 9, NULL, 10);
	length = httpc_header(answer, "Content-Length");
	coding = httpc_header(answer, "Transfer-Encoding");
	if (coding != NULL)
		answer->whole = receive_chunks(httpc, &answer->body, end);
	else
		answer->whole = receive_body(httpc, &answer->body,
			length != NULL ? strtoul(length, NULL, 10) : SIZE_MAX, end);
	return answer->whole;
}

static void (*watch)(
	const char *method, const char *path, struct view body, const struct httpc_answer *answer);

void httpc_watched(void (*watcher)(
	const char *method, const char *path, struct view body, const struct httpc_answer *answer))
{
	watch = watcher;
}

void httpc_ask(const struct httpc_peer *peer, const char *method, const char *path,
	const char *headers, struct view body, struct httpc_answer *answer)
{
	AUTO(buf_free) struct buf request = BUF(BODY_MAX);
	struct httpc httpc;

	*answer = (struct httpc_answer){0};
	buf_fmt(&request, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s%s", method,
		path, peer->headers != NULL ? peer->headers : "", headers != NULL ? headers : "");
	if (body.p != NULL)
		buf_fmt(&request, "Content-Length: %zu\r\n", body.n);
	buf_str(&request, "\r\n");
	buf_add(&request, body);
	if (!httpc_open(&httpc, peer, 30000))
		return;
	/* A peer that refuses early may answer before it has taken everything. */
	httpc_send(&httpc, buf_view(&request));
	httpc_receive(&httpc, answer, 30000);
	httpc_close(&httpc);
	if (watch != NULL)
		watch(method, path, body, answer);
}

void httpc_post(const struct httpc_peer *peer, const char *path, struct view json,
	struct httpc_answer *answer)
{
	httpc_ask(peer, "POST", path, "Content-Type: application/json\r\n", json, answer);
}

void httpc_get(const struct httpc_peer *peer, const char *path, struct httpc_answer *answer)
{
	httpc_ask(peer, "GET", path, NULL, (struct view){NULL, 0}, answer);
}
