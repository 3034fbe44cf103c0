/* fuzz_template.c - a certificate template, alone in its directory. */
#include "tests/fuzz/target.h"

#include "ca/template.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char dir[] = "/tmp/endorse-fuzz.XXXXXX";
static char path[sizeof(dir) + 16];

static void clean(void)
{
	unlink(path);
	rmdir(dir);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	AUTO(templates_free) struct templates *templates = NULL;
	AUTO(problems_free) struct problems problems;
	AUTO(fd_close) int fd = -1;

	if (path[0] == '\0') {
		if (mkdtemp(dir) == NULL || atexit(clean) != 0)
			abort();
		snprintf(path, sizeof(path), "%s/it.yaml", dir);
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, p, n) != (ssize_t)n)
		abort();
	problems_init(&problems);
	if ((templates_load(dir, &problems, &templates) == OK) != (problems.n == 0))
		abort();
	return 0;
}
