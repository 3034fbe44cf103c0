#include "tests/flow/process.h"

#include "ca/base/file.h"

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

void harness_failed(const char *file, int line, const char *condition, const char *fmt, ...)
{
	char what[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	fprintf(stderr, "%s:%d: %s: %s\n", file, line, condition, what);
	_fail(file, line);
	abort();
}

char *text(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		abort();
	va_end(ap);
	return s;
}

int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool wait_until(bool (*is_true)(void *arg), void *arg, int timeout_ms)
{
	int64_t end = now_ms() + timeout_ms;

	for (int pause = 2; !is_true(arg); pause = pause < 50 ? pause * 2 : pause) {
		if (now_ms() >= end)
			return false;
		usleep((useconds_t)pause * 1000);
	}
	return true;
}

struct awaited {
	const char *path, *what;
};

static bool is_written(void *arg)
{
	const struct awaited *awaited = arg;
	AUTO(buf_free) struct buf content = BUF(1 << 22);

	return file_read(awaited->path, &content) == OK &&
	       strstr(buf_text(&content), awaited->what) != NULL;
}

bool wait_for_text(const char *path, const char *what, int timeout_ms)
{
	return wait_until(is_written, &(struct awaited){path, what}, timeout_ms);
}

void write_file(const char *path, mode_t mode, struct view bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	ssize_t n = fd < 0 ? -1 : write(fd, bytes.p, bytes.n);

	must(fd >= 0 && n >= 0 && (size_t)n == bytes.n, "%s: %s", path, strerror(errno));
	must(fchmod(fd, mode) == 0, "%s: %s", path, strerror(errno));
	close(fd);
}

bool socket_accepts(const char *path)
{
	AUTO(fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

int free_port(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
			getsockname(fd, (struct sockaddr *)&address, &size) == 0,
		"%s", strerror(errno));
	close(fd);
	return ntohs(address.sin_port);
}

static void become(const char *user)
{
	struct passwd *entry;

	if (user == NULL || geteuid() != 0)
		return;
	entry = getpwnam(user);
	if (entry == NULL || initgroups(user, entry->pw_gid) != 0 || setgid(entry->pw_gid) != 0 ||
		setuid(entry->pw_uid) != 0)
		_exit(126);
}

static void set_environment(const char *const *env)
{
	setenv("LC_ALL", "C", 1);
	setenv("TSS2_LOG", "all+NONE", 1);
	for (; env != NULL && *env != NULL; env++) {
		const char *equals = strchr(*env, '=');
		char *name = equals == NULL ? NULL : strndup(*env, (size_t)(equals - *env));

		if (name == NULL || setenv(name, equals + 1, 1) != 0)
			_exit(126);
		free(name);
	}
}

/* In the child; does not return. A negative descriptor leaves the parent's in place. */
static void execute(const struct program *program, pid_t parent, const int fds[static 3])
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	for (int i = 0; i < 3; i++)
		if (fds[i] >= 0 && dup2(fds[i], i) < 0)
			_exit(126);
	become(program->user);
	/* After the change of user, which clears it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
	set_environment(program->env);
	execvp(program->argv[0], (char *const *)program->argv);
	dprintf(2, "%s: %s\n", program->argv[0], strerror(errno));
	_exit(127);
}

static pid_t start(const struct program *program, int in, int out, int err)
{
	pid_t parent = getpid(), pid;

	fflush(stdout);
	fflush(stderr);
	pid = fork();
	must(pid >= 0, "fork: %s", strerror(errno));
	if (pid == 0)
		execute(program, parent, (const int[]){in, out, err});
	return pid;
}

pid_t process_start(const struct program *program)
{
	AUTO(fd_close) int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	AUTO(fd_close) int log = -1;

	if (program->log != NULL) {
		log = open(program->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
		must(log >= 0, "%s: %s", program->log, strerror(errno));
	}
	return start(program, null, log, log);
}

bool process_is_alive(pid_t pid)
{
	siginfo_t info = {0};

	return pid > 0 && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == 0;
}

static bool is_gone(void *arg)
{
	return !process_is_alive(*(pid_t *)arg);
}

/*
 * A service answers what is in flight for up to 10 s, and each of its two web servers needs two more to end
 * its threads: on a busy machine, under a sanitizer, that is more than it looks.
 */
#define END_MS 60000

int process_stop(pid_t *pid, int signal)
{
	int status = 0;

	if (*pid <= 0)
		return 0;
	kill(*pid, signal);
	if (!wait_until(is_gone, pid, END_MS))
		kill(*pid, SIGKILL);
	waitpid(*pid, &status, 0);
	*pid = 0;
	return status;
}

void output_free(struct output *output)
{
	buf_free(&output->out);
	buf_free(&output->err);
}

unsigned lines_of(const struct output *output, const char *start)
{
	unsigned n = 0;

	for (const char *line = buf_text(&output->out); line != NULL && *line != '\0';) {
		n += strncmp(line, start, strlen(start)) == 0;
		line = strchr(line, '\n');
		line = line == NULL ? NULL : line + 1;
	}
	return n;
}

bool has_line(const struct output *output, const char *start, const char *words)
{
	for (const char *line = buf_text(&output->out); line != NULL && *line != '\0';) {
		const char *end = strchr(line, '\n'), *found = strstr(line, words);

		if (strncmp(line, start, strlen(start)) == 0 && found != NULL &&
			(end == NULL || found < end))
			return true;
		line = end == NULL ? NULL : end + 1;
	}
	return false;
}

/* False when the other end is closed. */
static bool take(int fd, struct buf *to)
{
	uint8_t block[4096];
	ssize_t n = read(fd, block, sizeof(block));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n <= 0)
		return false;
	buf_add(to, (struct view){block, (size_t)n});
	return true;
}

/* Reads both pipes until they are closed; false when the time is over. */
static bool capture(int out, int err, struct output *output, int timeout_ms)
{
	struct pollfd fds[2] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
	struct buf *bufs[2] = {&output->out, &output->err};
	int64_t end = now_ms() + timeout_ms;

	while (fds[0].fd >= 0 || fds[1].fd >= 0) {
		int64_t left = end - now_ms();

		if (left <= 0)
			return false;
		if (poll(fds, 2, (int)left) <= 0)
			continue;
		for (int i = 0; i < 2; i++)
			if (fds[i].fd >= 0 && fds[i].revents != 0 && !take(fds[i].fd, bufs[i]))
				fds[i].fd = -1;
	}
	return true;
}

/* A file without a name that holds what the program is to read. */
static int input_of(const char *input)
{
	int fd = memfd_create("input", MFD_CLOEXEC);
	size_t n = input == NULL ? 0 : strlen(input);

	must(fd >= 0 && (n == 0 || write(fd, input, n) == (ssize_t)n) &&
			lseek(fd, 0, SEEK_SET) == 0,
		"%s", strerror(errno));
	return fd;
}

void process_run(const struct program *program, struct output *output)
{
	AUTO(fd_close) int in = input_of(program->input);
	int out[2], err[2], status = 0;
	pid_t pid;

	*output = (struct output){.out = BUF(1 << 22), .err = BUF(1 << 22)};
	must(pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0, "%s", strerror(errno));
	pid = start(program, in, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	if (!capture(out[0], err[0], output,
		    program->timeout_ms > 0 ? program->timeout_ms : 60000)) {
		buf_fmt(&output->err, "(killed: it took too long)\n");
		kill(pid, SIGKILL);
	}
	close(out[0]);
	close(err[0]);
	must(waitpid(pid, &status, 0) == pid, "%s", strerror(errno));
	output->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void process_must(const struct program *program)
{
	AUTO(output_free) struct output output;

	process_run(program, &output);
	must(output.code == 0, "%s: exit code %d\n%s%s", program->argv[0], output.code,
		buf_text(&output.out), buf_text(&output.err));
}
