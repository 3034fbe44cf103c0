#include "tests/unit/ca/program.h"

#include "ca/base/file.h"
#include "tests/unit/check.h"
#include "tests/unit/tpm/scratch.h"

#include <errno.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void read_all(int fd, struct buf *out)
{
	uint8_t block[4096];
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) != 0)
		if (n > 0)
			buf_add(out, (struct view){block, (size_t)n});
		else
			assert_int_equal(EINTR, errno);
}

int program_run(const char *const *argv, struct buf *output)
{
	posix_spawn_file_actions_t actions;
	int ends[2], status = 0, code;
	pid_t pid = 0;

	assert_int_equal(0, pipe(ends));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
	posix_spawn_file_actions_addclose(&actions, ends[0]);
	posix_spawn_file_actions_addclose(&actions, ends[1]);
	code = posix_spawnp(&pid, argv[0], &actions, NULL, (char **)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (code == 0)
		read_all(ends[0], output);
	close(ends[0]);
	if (code != 0)
		fail_msg("%s: %s", argv[0], strerror(code));
	assert_int_equal(pid, waitpid(pid, &status, 0));
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void append_file(const char *path, struct buf *out)
{
	assert_ok(file_read(path, out));
}

void assert_verified(const char *root, const char *ca, const char *leaf)
{
	AUTO(scratch_remove) char *dir = scratch_make();
	AUTO(buf_free) struct buf said = BUF(1 << 16), chain = BUF(1 << 16);
	AUTO(mem_free) char *path = path_join(dir, "chain.pem");

	if (PROGRAM_RUN(&said, "openssl", "verify", "-x509_strict", "-CAfile", root, "-untrusted",
		    ca, leaf) != 0)
		fail_msg("openssl verify: %s", buf_text(&said));
	append_file(leaf, &chain);
	append_file(ca, &chain);
	scratch_put(dir, "chain.pem", buf_view(&chain));
	buf_free(&said);
	if (PROGRAM_RUN(&said, "certtool", "--verify", "--load-ca-certificate", root, "--infile",
		    path) != 0)
		fail_msg("certtool --verify: %s", buf_text(&said));
}
