#include "tests/flow/pglink.h"

#include "tests/flow/process.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MESSAGE_MAX (1 << 24)
#define SSL_REQUEST 80877103
#define GSS_REQUEST 80877104

void pglink_open(struct pglink *link, const struct pglink_owner *owner, int front, int back)
{
	*link = (struct pglink){.owner = *owner,
		.front = front,
		.back = back,
		.from_front = BUF(MESSAGE_MAX),
		.from_back = BUF(MESSAGE_MAX)};
}

void pglink_close(struct pglink *link)
{
	fd_close(&link->front);
	fd_close(&link->back);
	buf_free(&link->from_front);
	buf_free(&link->from_back);
	for (size_t i = 0; i < PGLINK_STATEMENTS; i++) {
		mem_free(&link->statements[i]);
		mem_free(&link->texts[i]);
	}
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool send_all(int fd, struct view bytes)
{
	while (bytes.n > 0) {
		ssize_t n = send(fd, bytes.p, bytes.n, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		bytes.p += n;
		bytes.n -= (size_t)n;
	}
	return true;
}

static bool receive(int fd, struct buf *into)
{
	uint8_t block[16384];
	ssize_t n = recv(fd, block, sizeof(block), 0);

	if (n <= 0)
		return false;
	buf_add(into, (struct view){block, (size_t)n});
	return !into->failed;
}

static void consume(struct buf *buf, size_t n)
{
	memmove(buf->p, buf->p + n, buf->n - n);
	buf->n -= n;
}

/* The C string at `*at` in a message, which moves behind it; "" when there is none. */
static const char *string_at(struct view message, size_t *at)
{
	const char *s = (const char *)message.p + *at;
	size_t n = *at < message.n ? strnlen(s, message.n - *at) : 0;

	if (*at >= message.n || n == message.n - *at)
		return "";
	*at += n + 1;
	return s;
}

/* Parse: statement name, text. */
static void remember(struct pglink *link, struct view message)
{
	size_t at = 0, i = 0;
	const char *name = string_at(message, &at), *sql = string_at(message, &at);

	while (i < PGLINK_STATEMENTS && link->statements[i] != NULL &&
		strcmp(link->statements[i], name) != 0)
		i++;
	must(i < PGLINK_STATEMENTS, "more than %d prepared statements", PGLINK_STATEMENTS);
	mem_free(&link->statements[i]);
	mem_free(&link->texts[i]);
	link->statements[i] = text("%s", name);
	link->texts[i] = text("%s", sql);
}

static void mark(struct pglink *link, const char *sql)
{
	const char *wanted = link->owner.wanted(link->owner.arg);

	if (wanted != NULL && strstr(sql, wanted) != NULL)
		link->marked = true;
}

/* Whether operators imported anything, what is to be published, and whether the service is ready to sign:
 * each is the first of its trip. */
static bool is_look(const char *name)
{
	static const char *const looks[] = {"read_revision", "any_revoked", "is_revoked",
		"crl_find_changed", "crl_look", "crl_publish", "crl_forget", "ask_krl", "read_krl",
		"publish_krl"};

	for (size_t i = 0; i < COUNT(looks); i++)
		if (strcmp(looks[i], name) == 0)
			return true;
	return false;
}

/* Bind: portal, statement name. */
static void mark_bound(struct pglink *link, struct view message)
{
	size_t at = 0;
	const char *portal = string_at(message, &at), *name = string_at(message, &at);

	(void)portal;
	if (is_look(name))
		link->owner.count(link->owner.arg, PGLINK_LOOK);
	for (size_t i = 0; i < PGLINK_STATEMENTS && link->statements[i] != NULL; i++)
		if (strcmp(link->statements[i], name) == 0)
			mark(link, link->texts[i]);
}

/* A message that ReadyForQuery will answer; false: cut. */
static bool ask(struct pglink *link)
{
	bool marked = link->marked;

	link->pending[link->asked++ % PGLINK_PENDING] = marked;
	link->marked = false;
	return !marked || !link->owner.caught(link->owner.arg, false);
}

static bool front_message(struct pglink *link, char type, struct view message)
{
	size_t at = 0;

	link->owner.count(link->owner.arg, type);
	if (type == 'P')
		remember(link, message);
	/* The first to be asked is the startup message. */
	if (type == 'P' && link->asked > 1)
		link->owner.count(link->owner.arg, PGLINK_PARSED_LATE);
	if (type == 'B')
		mark_bound(link, message);
	if (type == 'Q')
		mark(link, string_at(message, &at));
	return (type != 'Q' && type != 'S') || ask(link);
}

/* The untyped message that opens a connection; libpq may first ask for encryption, which we
 * decline. */
static bool startup(struct pglink *link, struct view message)
{
	uint32_t code = be32(message.p + 4);

	if (code == SSL_REQUEST || code == GSS_REQUEST)
		return send_all(link->front, view_str("N"));
	link->started = true;
	link->pending[link->asked++ % PGLINK_PENDING] = false;
	return send_all(link->back, message);
}

bool pglink_forward(struct pglink *link)
{
	struct buf *in = &link->from_front;

	if (!receive(link->front, in))
		return false;
	for (;;) {
		size_t lead = link->started ? 1 : 0, n;

		if (in->n < lead + 4 || in->n < (n = lead + be32(in->p + lead)))
			return true;
		if (n < lead + 4 || (!link->started && n < 8))
			return false;
		if (!link->started) {
			if (!startup(link, (struct view){in->p, n}))
				return false;
		} else if (!front_message(link, (char)in->p[0], (struct view){in->p + 5, n - 5}) ||
			   !send_all(link->back, (struct view){in->p, n})) {
			return false;
		}
		consume(in, n);
	}
}

/* ReadyForQuery: 'I' idle, 'T' in a transaction block, 'E' in a failed one. False: cut. */
static bool ready(struct pglink *link, char state)
{
	bool marked = link->pending[link->answered++ % PGLINK_PENDING] || link->inside;

	link->inside = marked && state == 'T';
	return !marked || state != 'I' || !link->owner.caught(link->owner.arg, true);
}

bool pglink_backward(struct pglink *link)
{
	struct buf *in = &link->from_back;

	if (!receive(link->back, in))
		return false;
	while (in->n >= 5 && in->n >= 1 + (size_t)be32(in->p + 1)) {
		size_t n = 1 + be32(in->p + 1);

		if (in->p[0] == 'Z' && n >= 6 && !ready(link, (char)in->p[5]))
			return false;
		if (!send_all(link->front, (struct view){in->p, n}))
			return false;
		consume(in, n);
	}
	return true;
}
