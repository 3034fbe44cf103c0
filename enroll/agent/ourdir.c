#include "enroll/agent/ourdir.h"

#include "ca/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_ours(const char *dir, bool may_be_sticky)
{
	struct stat st;

	if (lstat(dir, &st) != 0 || !S_ISDIR(st.st_mode) ||
		(st.st_uid != geteuid() && st.st_uid != 0))
		return false;
	return (st.st_mode & 0022) == 0 || (may_be_sticky && (st.st_mode & S_ISVTX) != 0);
}

bool ourdir_is(const char *dir)
{
	AUTO(mem_free) char *real = realpath(dir, NULL);
	bool is_above = false;

	if (real == NULL || strcmp(real, dir) != 0)
		return false;
	while (is_ours(real[0] == '\0' ? "/" : real, is_above)) {
		if (real[0] == '\0' || strcmp(real, "/") == 0)
			return true;
		*strrchr(real, '/') = '\0';
		is_above = true;
	}
	return false;
}
