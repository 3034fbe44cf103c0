/* notify.h - what the service manager is told of our state: sd_notify(3), spoken by hand. */
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

/* Where to; filled by notify_open(). May be used from any thread. */
struct notify {
	int fd; /* -1: nobody listens, and nothing is sent */
	struct sockaddr_un to;
	socklen_t to_n;
};

/*
 * `name` is $NOTIFY_SOCKET: a path, or "@" and an abstract name. With NULL, or what is neither,
 * nothing is ever sent: no service manager is no fault.
 */
void notify_open(const char *name, struct notify *out);
void notify_close(struct notify *notify); /* for AUTO */

/*
 * Sends one message: `state` ("READY=1", several separated by newlines, or NULL) and one sentence for
 * people (STATUS=, or NULL). An error is nobody's business but the manager's, so none is told.
 */
void notify_say(const struct notify *notify, const char *state, const char *status);
