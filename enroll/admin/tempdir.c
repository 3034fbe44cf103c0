#include "enroll/admin/tempdir.h"

#include "ca/base/mem.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REMOVE_FDS 16

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void tempdir_remove(char **dir)
{
	if (*dir != NULL)
		nftw(*dir, remove_one, REMOVE_FDS, FTW_DEPTH | FTW_PHYS);
	free(*dir);
	*dir = NULL;
}

enum err tempdir_make(const char *below, char **out)
{
	if (asprintf(out, "%s/endorsectl.XXXXXX", below == NULL ? "/tmp" : below) < 0) {
		*out = NULL;
		return fail(ERR_INTERNAL, "out-of-memory", "tempdir_make");
	}
	if (mkdtemp(*out) == NULL) {
		enum err err = fail(ERR_INTERNAL, "file-write", "%s: %s", *out, strerror(errno));

		mem_free(out);
		return err;
	}
	return OK;
}
