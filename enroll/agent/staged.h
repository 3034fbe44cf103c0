/* staged.h - several files that are written beside their places first, and then renamed: all of
 * them or none. */
#pragma once

#include "ca/base/buf.h"

#include <sys/types.h>

#define STAGED_MAX 64

/* `AUTO(staged_free) struct staged staged = {0};` Files that were not put in place are removed again. */
struct staged {
	struct {
		char *path;
		char *temporary;
	} files[STAGED_MAX];
	size_t n;
};
void staged_free(struct staged *staged);

/* Writes `bytes` beside `path`, on the disk. ERR_INTERNAL "file-write". */
CHECKED enum err staged_add(
	struct staged *staged, const char *path, mode_t mode, struct view bytes);

/*
 * Renames them in the order in which they were added: what tells that all are there comes last.
 * Only a disk that fails between two renames leaves a part. ERR_INTERNAL "file-write".
 */
CHECKED enum err staged_commit(struct staged *staged);
