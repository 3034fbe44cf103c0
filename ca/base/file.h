/* file.h - whole files: read with a bound, replaced at one stroke. */
#pragma once

#include "ca/base/buf.h"

#include <sys/types.h>

/*
 * Appends the whole of a regular file. ERR_NOT_FOUND "file-missing", ERR_INTERNAL "file-read", or
 * ERR_TOO_LARGE "file-too-large" when it does not fit into the buffer's limit.
 */
CHECKED enum err file_read(const char *path, struct buf *out);

/*
 * The same for a secret, which must be readable by nobody but its owner (and group, where
 * `group_may_read`): ERR_INTERNAL "file-permissions" otherwise.
 */
CHECKED enum err file_read_secret(const char *path, bool group_may_read, struct buf *out);

/*
 * Reads a secret of exactly 32 bytes, written as 64 hexadecimal digits and at most one newline.
 * ERR_INTERNAL "secret-file" when it is anything else.
 */
CHECKED enum err file_read_key(const char *path, bool group_may_read, uint8_t out[static 32]);

/*
 * Writes `bytes` beside `path` and renames over it, so that a reader (and a machine that loses
 * power) finds the old file or the new one whole. ERR_INTERNAL "file-write".
 */
CHECKED enum err file_replace(const char *path, mode_t mode, struct view bytes);

/* `dir` "/" `name`, or `name` alone when it is absolute; for free(). NULL when there is no memory. */
char *path_join(const char *dir, const char *name);
