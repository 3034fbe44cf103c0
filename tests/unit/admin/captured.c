#include "tests/unit/admin/captured.h"

#include "ca/base/file.h"
#include "tests/unit/check.h"

#include <stdlib.h>
#include <unistd.h>

void captured(enum err (*call)(const void *what), const void *what, struct buf *out)
{
	char path[] = "/tmp/endorse-captured-XXXXXX";
	int kept = dup(STDOUT_FILENO), fd = mkstemp(path);

	assert_true(kept >= 0 && fd >= 0);
	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	close(fd);
	assert_int_equal(OK, call(what));
	dup2(kept, STDOUT_FILENO);
	close(kept);
	assert_int_equal(OK, file_read(path, out));
	unlink(path);
}
