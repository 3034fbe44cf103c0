/* fuzz_policy.c - policy.yaml, from a file without a name. */
#include "tests/fuzz/target.h"

#include "policy/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static bool is_ak(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "ak") == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(fd_close) int fd = memfd_create("policy", MFD_CLOEXEC);
	AUTO(policy_free) struct policy *policy = NULL;
	AUTO(problems_free) struct problems problems;
	char path[64];

	if (fd < 0 || write(fd, p, n) != (ssize_t)n)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	problems_init(&problems);
	if ((policy_load(path, is_ak, NULL, &problems, &policy) == OK) != (problems.n == 0))
		abort();
	return 0;
}
