#include "enroll/agent/staged.h"

#include "ca/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void staged_free(struct staged *staged)
{
	for (size_t i = 0; i < staged->n; i++) {
		if (staged->files[i].temporary != NULL)
			unlink(staged->files[i].temporary);
		free(staged->files[i].temporary);
		free(staged->files[i].path);
	}
	staged->n = 0;
}

enum err staged_add(struct staged *staged, const char *path, mode_t mode, struct view bytes)
{
	AUTO(mem_free) char *place = strdup(path);
	AUTO(mem_free) char *temporary = NULL;

	if (staged->n == COUNT(staged->files))
		return fail(ERR_INTERNAL, "file-write", "too many files at once");
	if (place == NULL || asprintf(&temporary, "%s.staged", path) < 0)
		return fail(ERR_INTERNAL, "out-of-memory", "%s", path);
	TRY(file_replace(temporary, mode, bytes));
	staged->files[staged->n].path = MOVE(place);
	staged->files[staged->n++].temporary = MOVE(temporary);
	return OK;
}

/* Most are in one directory. */
static void sync_parent(const char *path)
{
	AUTO(mem_free) char *copy = strdup(path);
	AUTO(fd_close) int dir = -1;

	if (copy != NULL && (dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0)
		fsync(dir);
}

enum err staged_commit(struct staged *staged)
{
	for (size_t i = 0; i < staged->n; i++) {
		if (rename(staged->files[i].temporary, staged->files[i].path) != 0)
			return fail(ERR_INTERNAL, "file-write", "%s: %s", staged->files[i].path,
				strerror(errno));
		free(staged->files[i].temporary);
		staged->files[i].temporary = NULL;
	}
	if (staged->n > 0)
		sync_parent(staged->files[0].path);
	return OK;
}
