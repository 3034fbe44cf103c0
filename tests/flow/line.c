#include "tests/flow/line.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#define HEADER 10 /* tag (2), size (4), code (4); TPM 2.0 Part 1, 18.1 */
#define MESSAGE 4096

/*
 * Terminals of our own, in a file system that is mounted nowhere: a bare system has no /dev/pts,
 * others' is not ours to use, and what nobody has mounted nobody needs to unmount.
 */
static int open_terminals(void)
{
	AUTO(fd_close) int fs = fsopen("devpts", FSOPEN_CLOEXEC);
	int terminals;

	must(fs >= 0, "fsopen devpts: %s", strerror(errno));
	must(fsconfig(fs, FSCONFIG_SET_STRING, "ptmxmode", "0666", 0) == 0 &&
			fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0,
		"fsconfig devpts: %s", strerror(errno));
	terminals = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	must(terminals >= 0, "fsmount devpts: %s", strerror(errno));
	return terminals;
}

static void open_terminal(struct line *line)
{
	AUTO(fd_close) int terminals = open_terminals();
	struct termios raw;
	int unlocked = 0;

	line->master = openat(terminals, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	must(line->master >= 0 && ioctl(line->master, TIOCSPTLCK, &unlocked) == 0, "ptmx: %s",
		strerror(errno));
	/* Held open, so that the line stays up between two that use it. */
	line->slave = ioctl(line->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	must(line->slave >= 0 && tcgetattr(line->slave, &raw) == 0, "a terminal: %s",
		strerror(errno));
	cfmakeraw(&raw);
	must(tcsetattr(line->slave, TCSANOW, &raw) == 0, "a terminal: %s", strerror(errno));
	line->path = text("/proc/%d/fd/%d", (int)getpid(), line->slave);
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

void line_start(struct line *line, const char *socket)
{
	int tpm;

	open_terminal(line);
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
