#include "tests/flow/pgproxy.h"

#include "tests/flow/pglink.h"
#include "tests/flow/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LINKS 128

struct pgproxy {
	pthread_t thread;
	pthread_mutex_t lock; /* guards all below it except `links`, which is the thread's */
	enum pgproxy_mode mode;
	unsigned long counts[256];
	bool armed, sprung, stop;
	enum pgproxy_point point;
	const char *sql;
	void (*act)(void *arg);
	void *arg;
	int wake[2], listener;
	char *server;
	struct pglink links[LINKS];
};

static struct sockaddr_un address_of(const char *dir)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int n = snprintf(address.sun_path, sizeof(address.sun_path), "%s/.s.PGSQL.5432", dir);

	must(n > 0 && (size_t)n < sizeof(address.sun_path), "%s: too long", dir);
	return address;
}

static void count(void *arg, char type)
{
	struct pgproxy *proxy = arg;

	pthread_mutex_lock(&proxy->lock);
	proxy->counts[(unsigned char)type]++;
	pthread_mutex_unlock(&proxy->lock);
}

/* The text that statements are searched for; NULL while there is no trap. */
static const char *wanted(void *arg)
{
	struct pgproxy *proxy = arg;
	const char *sql;

	pthread_mutex_lock(&proxy->lock);
	sql = proxy->armed ? proxy->sql : NULL;
	pthread_mutex_unlock(&proxy->lock);
	return sql;
}

/* A caught transaction has come to a point; true when the link is to be cut there. */
static bool caught(void *arg, bool committed)
{
	struct pgproxy *proxy = arg;
	bool here;

	pthread_mutex_lock(&proxy->lock);
	here = proxy->armed && committed == (proxy->point == PGPROXY_AFTER_COMMIT);
	if (here)
		proxy->armed = false;
	pthread_mutex_unlock(&proxy->lock);
	if (!here)
		return false;
	if (proxy->act != NULL)
		proxy->act(proxy->arg);
	pthread_mutex_lock(&proxy->lock);
	proxy->sprung = true;
	pthread_mutex_unlock(&proxy->lock);
	return true;
}

static void accept_one(struct pgproxy *proxy, enum pgproxy_mode mode)
{
	const struct pglink_owner owner = {proxy, count, wanted, caught};
	struct sockaddr_un server = address_of(proxy->server);
	int front = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC), back;
	size_t i = 0;

	while (i < LINKS && proxy->links[i].front >= 0)
		i++;
	if (front < 0 || i == LINKS || mode == PGPROXY_CUT) {
		fd_close(&front);
		return;
	}
	back = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (back < 0 || connect(back, (struct sockaddr *)&server, sizeof(server)) != 0) {
		fd_close(&front);
		fd_close(&back);
		return;
	}
	count(proxy, 0);
	pglink_open(&proxy->links[i], &owner, front, back);
}

/* One round of waiting and passing on. */
static void turn(struct pgproxy *proxy, enum pgproxy_mode mode)
{
	struct pollfd fds[2 + 2 * LINKS];
	bool moving = mode == PGPROXY_PASS;

	fds[0] = (struct pollfd){.fd = proxy->wake[0], .events = POLLIN};
	fds[1] = (struct pollfd){
		.fd = mode == PGPROXY_STALL ? -1 : proxy->listener, .events = POLLIN};
	for (size_t i = 0; i < LINKS; i++) {
		fds[2 + 2 * i] = (struct pollfd){
			.fd = moving ? proxy->links[i].front : -1, .events = POLLIN};
		fds[3 + 2 * i] =
			(struct pollfd){.fd = moving ? proxy->links[i].back : -1, .events = POLLIN};
	}
	if (poll(fds, 2 + 2 * LINKS, -1) < 0)
		return;
	if (fds[0].revents != 0) {
		char byte;

		/* The mode may be another one now. */
		if (read(proxy->wake[0], &byte, 1) >= 0)
			return;
	}
	for (size_t i = 0; i < LINKS; i++)
		if (proxy->links[i].front >= 0 &&
			((fds[2 + 2 * i].revents != 0 && !pglink_forward(&proxy->links[i])) ||
				(fds[3 + 2 * i].revents != 0 &&
					!pglink_backward(&proxy->links[i]))))
			pglink_close(&proxy->links[i]);
	if (fds[1].revents != 0)
		accept_one(proxy, mode);
}

static void *run(void *arg)
{
	struct pgproxy *proxy = arg;

	for (;;) {
		enum pgproxy_mode mode;
		bool stop;

		pthread_mutex_lock(&proxy->lock);
		mode = proxy->mode;
		stop = proxy->stop;
		pthread_mutex_unlock(&proxy->lock);
		for (size_t i = 0; i < LINKS && (stop || mode == PGPROXY_CUT); i++)
			pglink_close(&proxy->links[i]);
		if (stop)
			return NULL;
		turn(proxy, mode);
	}
}

static int listen_at(const char *dir)
{
	struct sockaddr_un address = address_of(dir);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	unlink(address.sun_path);
	must(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
			listen(fd, 128) == 0,
		"%s: %s", address.sun_path, strerror(errno));
	return fd;
}

struct pgproxy *pgproxy_start(const char *dir, const char *server_dir)
{
	struct pgproxy *proxy = calloc(1, sizeof(*proxy));

	must(proxy != NULL, "out of memory");
	for (size_t i = 0; i < LINKS; i++)
		proxy->links[i].front = proxy->links[i].back = -1;
	pthread_mutex_init(&proxy->lock, NULL);
	proxy->server = text("%s", server_dir);
	proxy->listener = listen_at(dir);
	must(pipe2(proxy->wake, O_CLOEXEC) == 0, "pipe: %s", strerror(errno));
	must(pthread_create(&proxy->thread, NULL, run, proxy) == 0, "pthread_create");
	return proxy;
}

static void wake(struct pgproxy *proxy)
{
	must(write(proxy->wake[1], "", 1) == 1, "%s", strerror(errno));
}

void pgproxy_stop(struct pgproxy **address)
{
	struct pgproxy *proxy = *address;

	if (proxy == NULL)
		return;
	*address = NULL;
	pthread_mutex_lock(&proxy->lock);
	proxy->stop = true;
	pthread_mutex_unlock(&proxy->lock);
	wake(proxy);
	pthread_join(proxy->thread, NULL);
	fd_close(&proxy->listener);
	fd_close(&proxy->wake[0]);
	fd_close(&proxy->wake[1]);
	pthread_mutex_destroy(&proxy->lock);
	free(proxy->server);
	free(proxy);
}

unsigned long pgproxy_count(struct pgproxy *proxy, char type)
{
	unsigned long n;

	pthread_mutex_lock(&proxy->lock);
	n = proxy->counts[(unsigned char)type];
	pthread_mutex_unlock(&proxy->lock);
	return n;
}

void pgproxy_reset(struct pgproxy *proxy)
{
	pthread_mutex_lock(&proxy->lock);
	memset(proxy->counts, 0, sizeof(proxy->counts));
	pthread_mutex_unlock(&proxy->lock);
}

struct trips {
	struct pgproxy *proxy;
	long wanted;
};

static bool are_wanted(void *arg)
{
	const struct trips *trips = arg;
	long made;

	pthread_mutex_lock(&trips->proxy->lock);
	made = (long)trips->proxy->counts['S'] - (long)trips->proxy->counts[0] -
	       (long)trips->proxy->counts[PGLINK_LOOK];
	pthread_mutex_unlock(&trips->proxy->lock);
	return made == trips->wanted;
}

bool pgproxy_trips_are(struct pgproxy *proxy, long wanted)
{
	return wait_until(are_wanted, &(struct trips){proxy, wanted}, 2000);
}

void pgproxy_set(struct pgproxy *proxy, enum pgproxy_mode mode)
{
	pthread_mutex_lock(&proxy->lock);
	proxy->mode = mode;
	pthread_mutex_unlock(&proxy->lock);
	wake(proxy);
}

void pgproxy_trap(struct pgproxy *proxy, enum pgproxy_point point, const char *sql,
	void (*act)(void *arg), void *arg)
{
	pthread_mutex_lock(&proxy->lock);
	proxy->point = point;
	proxy->sql = sql;
	proxy->act = act;
	proxy->arg = arg;
	proxy->armed = true;
	proxy->sprung = false;
	pthread_mutex_unlock(&proxy->lock);
}

bool pgproxy_sprung(struct pgproxy *proxy)
{
	bool sprung;

	pthread_mutex_lock(&proxy->lock);
	sprung = proxy->sprung;
	pthread_mutex_unlock(&proxy->lock);
	return sprung;
}
