#include "ca/base/file.h"

#include "ca/base/encode.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err open_regular(const char *path, int *out, struct stat *st)
{
	AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return fail(ERR_NOT_FOUND, "file-missing", "%s: there is no such file", path);
	if (fd < 0 || fstat(fd, st) != 0)
		return fail(ERR_INTERNAL, "file-read", "%s: %s", path, strerror(errno));
	if (!S_ISREG(st->st_mode))
		return fail(ERR_INTERNAL, "file-read", "%s: not a regular file", path);
	*out = fd;
	fd = -1;
	return OK;
}

static enum err read_all(int fd, const char *path, struct buf *out)
{
	uint8_t block[4096];
	ssize_t n;

	while ((n = read(fd, block, sizeof(block))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(ERR_INTERNAL, "file-read", "%s: %s", path, strerror(errno));
		buf_add(out, (struct view){block, (size_t)n});
		if (out->failed)
			break;
	}
	secret_wipe(block, sizeof(block));
	if (out->failed)
		return fail(ERR_TOO_LARGE, "file-too-large", "%s: more than %zu bytes", path,
			out->limit);
	return OK;
}

enum err file_read(const char *path, struct buf *out)
{
	AUTO(fd_close) int fd = -1;
	struct stat st;

	TRY(open_regular(path, &fd, &st));
	return read_all(fd, path, out);
}

enum err file_read_secret(const char *path, bool group_may_read, struct buf *out)
{
	AUTO(fd_close) int fd = -1;
	mode_t others = group_may_read ? 0037 : 0077;
	struct stat st;

	TRY(open_regular(path, &fd, &st));
	if ((st.st_mode & others) != 0)
		return fail(ERR_INTERNAL, "file-permissions",
			"%s: a secret that others can reach (mode %04o): chmod %s it", path,
			(unsigned)(st.st_mode & 07777), group_may_read ? "0640" : "0600");
	return read_all(fd, path, out);
}

enum err file_read_key(const char *path, bool group_may_read, uint8_t out[static 32])
{
	AUTO(buf_free) struct buf text = BUF(128);
	enum err err = file_read_secret(path, group_may_read, &text);
	struct view digits = buf_view(&text);

	if (err != OK && err != ERR_TOO_LARGE)
		return err;
	if (digits.n > 0 && digits.p[digits.n - 1] == '\n')
		digits.n--;
	if (err == ERR_TOO_LARGE || hex_read(digits, out, 32) != OK)
		return fail(ERR_INTERNAL, "secret-file",
			"%s: wanted 64 hexadecimal digits (make one with: openssl rand -hex 32)",
			path);
	return OK;
}

/* errno says why not. */
static bool write_all(int fd, struct view bytes)
{
	while (bytes.n > 0) {
		ssize_t n = write(fd, bytes.p, bytes.n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		bytes.p += n;
		bytes.n -= (size_t)n;
	}
	return true;
}

static void sync_parent(const char *path)
{
	AUTO(mem_free) char *copy = strdup(path);
	AUTO(fd_close) int dir = -1;

	if (copy != NULL && (dir = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) >= 0)
		fsync(dir);
}

enum err file_replace(const char *path, mode_t mode, struct view bytes)
{
	AUTO(mem_free) char *temporary = NULL;
	AUTO(fd_close) int fd = -1;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return fail(ERR_INTERNAL, "out-of-memory", "file_replace");
	if ((fd = mkostemp(temporary, O_CLOEXEC)) < 0)
		return fail(ERR_INTERNAL, "file-write", "%s: %s", path, strerror(errno));
	if (!write_all(fd, bytes) || fchmod(fd, mode) != 0 || fsync(fd) != 0 ||
		rename(temporary, path) != 0) {
		int code = errno;

		unlink(temporary);
		return fail(ERR_INTERNAL, "file-write", "%s: %s", path, strerror(code));
	}
	sync_parent(path);
	return OK;
}

char *path_join(const char *dir, const char *name)
{
	char *path = NULL;

	if (name[0] == '/')
		return strdup(name);
	return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}
