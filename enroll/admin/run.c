#include "enroll/admin/run.h"

#include "ca/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define NO_PROGRAM 127

static const char *const directories[] = {"/usr/bin", "/bin", "/usr/local/bin"};

/* In the child; what goes wrong is its exit status. */
static void become(const struct run *run, int output)
{
	static char *const env[] = {"LC_ALL=C", "PATH=/usr/bin:/bin", NULL};
	const struct rlimit files = {run->file_max, run->file_max}, core = {0, 0};
	int input = open("/dev/null", O_RDONLY);
	char path[256];

	if (input < 0 || dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0 ||
		chdir(run->dir) != 0 || setrlimit(RLIMIT_FSIZE, &files) != 0 ||
		setrlimit(RLIMIT_CORE, &core) != 0)
		_exit(NO_PROGRAM - 1);
	for (size_t i = 0; i < COUNT(directories); i++) {
		snprintf(path, sizeof(path), "%s/%s", directories[i], run->argv[0]);
		execve(path, (char *const *)run->argv, env);
		if (errno != ENOENT)
			break;
	}
	_exit(NO_PROGRAM);
}

/* Reads up to the end, or to the deadline; what does not fit is read all the same. */
static bool read_all(int fd, int64_t deadline, struct buf *output)
{
	uint8_t block[4096];

	for (;;) {
		int64_t left = deadline - clock_ms();
		struct pollfd wait = {fd, POLLIN, 0};
		ssize_t n;

		if (left <= 0)
			return false;
		n = poll(&wait, 1, (int)left);
		if (n == 0 || (n < 0 && errno != EINTR))
			return false;
		if (n < 0 || ((n = read(fd, block, sizeof(block))) < 0 && errno == EINTR))
			continue;
		if (n <= 0)
			return n == 0;
		if (output->n + (size_t)n <= output->limit)
			buf_add(output, (struct view){block, (size_t)n});
	}
}

enum err run_program(const struct run *run, struct buf *output, int *status)
{
	AUTO(fd_close) int from = -1;
	int ends[2], state = 0;
	bool is_done;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return fail(
			ERR_INTERNAL, "program-failed", "%s: %s", run->argv[0], strerror(errno));
	pid = fork();
	if (pid == 0)
		become(run, ends[1]);
	close(ends[1]);
	from = ends[0];
	if (pid < 0)
		return fail(
			ERR_INTERNAL, "program-failed", "%s: %s", run->argv[0], strerror(errno));
	is_done = read_all(from, clock_ms() + (int64_t)run->seconds * 1000, output);
	if (!is_done)
		kill(pid, SIGKILL);
	while (waitpid(pid, &state, 0) < 0 && errno == EINTR)
		;
	if (!is_done || !WIFEXITED(state))
		return fail(ERR_INTERNAL, "program-failed",
			"%s was stopped: it took more than %u seconds, or wrote too much",
			run->argv[0], run->seconds);
	if (WEXITSTATUS(state) == NO_PROGRAM)
		return fail(ERR_NOT_FOUND, "program-missing", "%s is not installed: apt install %s",
			run->argv[0], run->package);
	*status = WEXITSTATUS(state);
	return OK;
}
