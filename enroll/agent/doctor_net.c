/* doctor_net.c - from the server's name to a connection, address by address. */
#include "ca/base/clock.h"
#include "ca/base/file.h"
#include "enroll/agent/doctor.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECT_MS 5000
#define ADDRESSES 8
#define TEXT 600

#define SAY(doctor, level, ...)                                                                    \
	diagnosis_add(&(doctor)->diagnosis, FINDING_##level, "network", __VA_ARGS__)

struct target {
	char host[256];
	char port[16];
	const char *what; /* "the server" */
};

static void url_free(CURLU **url)
{
	curl_url_cleanup(*url);
	*url = NULL;
}

static void addresses_free(struct addrinfo **addresses)
{
	if (*addresses != NULL)
		freeaddrinfo(*addresses);
	*addresses = NULL;
}

static bool copy_part(CURLU *url, CURLUPart part, char *out, size_t room)
{
	char *text = NULL;
	bool found = curl_url_get(url, part, &text, 0) == CURLUE_OK;

	if (found)
		snprintf(out, room, "%s", text);
	curl_free(text);
	return found;
}

/* libcurl's, for a proxy (CURLOPT_PROXY). */
static const char *default_port(const char *url, bool is_proxy)
{
	return is_proxy && strncmp(url, "https://", 8) != 0 ? "1080" : "443";
}

/* Whom a request goes to first. */
static bool find_target(const struct doctor *doctor, struct target *out)
{
	AUTO(url_free) CURLU *url = curl_url();
	const char *proxy = doctor->wish.proxy;
	const char *text = proxy != NULL ? proxy : doctor->wish.server;
	size_t n;

	out->what = proxy != NULL ? "the proxy" : "the server";
	if (url == NULL ||
		curl_url_set(url, CURLUPART_URL, text,
			CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME) != CURLUE_OK ||
		!copy_part(url, CURLUPART_HOST, out->host, sizeof(out->host)))
		return false;
	if (!copy_part(url, CURLUPART_PORT, out->port, sizeof(out->port)))
		snprintf(out->port, sizeof(out->port), "%s", default_port(text, proxy != NULL));
	n = strlen(out->host);
	if (n > 2 && out->host[0] == '[') {
		out->host[n - 1] = '\0';
		memmove(out->host, out->host + 1, n - 1);
	}
	return true;
}

/* 0, or why not. */
static int connect_to(const struct addrinfo *address)
{
	AUTO(fd_close)
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd wait = {.fd = fd, .events = POLLOUT};
	socklen_t n = sizeof(int);
	int error = 0;

	if (fd < 0)
		return errno;
	if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if (poll(&wait, 1, CONNECT_MS) <= 0)
		return ETIMEDOUT;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0 ? error : errno;
}

struct tries {
	char text[TEXT]; /* "127.0.0.1 (0 ms), ::1: Connection refused" */
	unsigned good;
	unsigned silent; /* that did not even refuse */
};

static void try_address(const struct addrinfo *address, struct tries *tries)
{
	char numeric[64] = "?";
	size_t n = strlen(tries->text);
	int64_t began = clock_ms();
	int error = connect_to(address);

	getnameinfo(address->ai_addr, address->ai_addrlen, numeric, sizeof(numeric), NULL, 0,
		NI_NUMERICHOST);
	if (error == 0)
		snprintf(tries->text + n, sizeof(tries->text) - n, "%s%s (%lld ms)",
			n > 0 ? ", " : "", numeric, (long long)(clock_ms() - began));
	else
		snprintf(tries->text + n, sizeof(tries->text) - n, "%s%s: %s", n > 0 ? ", " : "",
			numeric, strerror(error));
	tries->good += error == 0;
	tries->silent += error == ETIMEDOUT;
}

static void try_all(
	struct doctor *doctor, const struct target *target, const struct addrinfo *addresses)
{
	struct tries tries = {.text = ""};
	unsigned n = 0;

	for (; addresses != NULL && n < ADDRESSES; addresses = addresses->ai_next, n++)
		try_address(addresses, &tries);
	doctor->has_network = tries.good > 0;
	if (tries.good == 0)
		SAY(doctor, FAIL,
			"%s, %s port %s, takes no connection: %s: is it running, is a firewall in "
			"between?",
			target->what, target->host, target->port, tries.text);
	else if (tries.silent > 0)
		SAY(doctor, WARN,
			"%s, %s port %s, is reached, but not at each of its addresses, which costs "
			"time: %s",
			target->what, target->host, target->port, tries.text);
	else
		SAY(doctor, OK, "%s, %s port %s, takes connections: %s", target->what, target->host,
			target->port, tries.text);
}

void doctor_network(struct doctor *doctor)
{
	AUTO(addresses_free) struct addrinfo *found = NULL;
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct target target = {.host = ""};
	int error;

	if (doctor->wish.server == NULL) {
		SAY(doctor, SKIPPED,
			"not looked at: which service? Give --server URL (nothing is remembered "
			"here)");
		return;
	}
	if (!find_target(doctor, &target)) {
		SAY(doctor, FAIL, "%s is no URL", doctor->wish.proxy);
		return;
	}
	error = getaddrinfo(target.host, target.port, &hints, &found);
	if (error != 0) {
		SAY(doctor, FAIL,
			"the name of %s, \"%s\", leads to no address: %s; check the spelling and "
			"the resolver (/etc/resolv.conf)",
			target.what, target.host, gai_strerror(error));
		return;
	}
	try_all(doctor, &target, found);
}
