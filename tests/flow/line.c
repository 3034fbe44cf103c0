#include "tests/flow/line.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#define HEADER 10 /* tag (2), size (4), code (4); TPM 2.0 Part 1, 18.1 */
#define MESSAGE 4096

/* Terminals of our own: a bare system has none mounted, and others' are not ours to use. */
static void mount_terminals(const char *dir)
{
	must(mkdir(dir, 0755) == 0, "%s: %s", dir, strerror(errno));
	must(unshare(CLONE_NEWNS) == 0, "unshare: %s", strerror(errno));
	must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts: %s",
		strerror(errno));
	must(mount("devpts", dir, "devpts", 0, "newinstance,ptmxmode=0666,mode=0600") == 0,
		"devpts on %s: %s", dir, strerror(errno));
}

static void open_terminal(struct line *line, const char *dir)
{
	AUTO(mem_free) char *ptmx = text("%s/ptmx", dir);
	struct termios raw;
	unsigned number = 0;
	int unlocked = 0;

	line->master = open(ptmx, O_RDWR | O_NOCTTY | O_CLOEXEC);
	must(line->master >= 0 && ioctl(line->master, TIOCSPTLCK, &unlocked) == 0 &&
			ioctl(line->master, TIOCGPTN, &number) == 0,
		"%s: %s", ptmx, strerror(errno));
	line->path = text("%s/%u", dir, number);
	/* Held open, so that the line stays up between two that use it. */
	line->slave = open(line->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	must(line->slave >= 0 && tcgetattr(line->slave, &raw) == 0, "%s: %s", line->path,
		strerror(errno));
	cfmakeraw(&raw);
	must(tcsetattr(line->slave, TCSANOW, &raw) == 0, "%s: %s", line->path, strerror(errno));
}

static int connect_to(const char *socket_path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", socket_path);
	must(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "%s: %s",
		socket_path, strerror(errno));
	return fd;
}

static bool read_whole(int fd, uint8_t *bytes, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t got = read(fd, bytes + at, n - at);

		if (got <= 0)
			return false;
		at += (size_t)got;
	}
	return true;
}

/* One message, which says how long it is. */
static bool pass(int from, int to)
{
	uint8_t bytes[MESSAGE];
	size_t n, at = 0;

	if (!read_whole(from, bytes, HEADER))
		return false;
	n = (size_t)bytes[2] << 24 | (size_t)bytes[3] << 16 | (size_t)bytes[4] << 8 | bytes[5];
	if (n < HEADER || n > sizeof(bytes) || !read_whole(from, bytes + HEADER, n - HEADER))
		return false;
	while (at < n) {
		ssize_t put = write(to, bytes + at, n - at);

		if (put <= 0)
			return false;
		at += (size_t)put;
	}
	return true;
}

void line_start(struct line *line, const char *dir, const char *socket)
{
	AUTO(mem_free) char *terminals = text("%s/terminals", dir);
	int tpm;

	mount_terminals(terminals);
	open_terminal(line, terminals);
	tpm = connect_to(socket);
	line->bridge = fork();
	must(line->bridge >= 0, "fork: %s", strerror(errno));
	if (line->bridge == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		while (pass(line->master, tpm) && pass(tpm, line->master))
			;
		_exit(1);
	}
	close(tpm);
}

void line_stop(struct line *line)
{
	process_stop(&line->bridge, SIGTERM);
	close(line->slave);
	close(line->master);
	free(line->path);
	*line = (struct line){.master = -1, .slave = -1};
}
