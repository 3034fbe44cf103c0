#include "enroll/daemon/notify.h"

#include "ca/base/buf.h"
#include "ca/base/printable.h"

#include <stddef.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

void notify_open(const char *name, struct notify *out)
{
	const struct timeval patience = {.tv_sec = 5};
	size_t n = name == NULL ? 0 : strlen(name);

	*out = (struct notify){.fd = -1, .to = {.sun_family = AF_UNIX}};
	if (n < 2 || n >= sizeof(out->to.sun_path) || (name[0] != '/' && name[0] != '@'))
		return;
	memcpy(out->to.sun_path, name, n);
	/* An abstract name begins with a zero byte and has none at its end: unix(7). */
	if (name[0] == '@')
		out->to.sun_path[0] = '\0';
	out->to_n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (name[0] == '/'));
	out->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (out->fd >= 0)
		setsockopt(out->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

void notify_close(struct notify *notify)
{
	if (notify->fd >= 0)
		close(notify->fd);
	notify->fd = -1;
}

void notify_say(const struct notify *notify, const char *state, const char *status)
{
	AUTO(buf_free) struct buf message = BUF(2048);
	char line[512];

	if (notify->fd < 0)
		return;
	if (state != NULL)
		buf_fmt(&message, "%s\n", state);
	if (status != NULL) {
		/* A newline in it would begin another assignment. */
		printable(status, line, sizeof(line));
		buf_fmt(&message, "STATUS=%s\n", line);
	}
	if (buf_ok(&message) == OK &&
		sendto(notify->fd, message.p, message.n, MSG_NOSIGNAL,
			(const struct sockaddr *)&notify->to, notify->to_n) < 0)
		return;
}
