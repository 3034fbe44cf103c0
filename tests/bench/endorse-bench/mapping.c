#include "tests/bench/endorse-bench/mapping.h"

#include "ca/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static enum err map(const char *path, int fd, int protection, struct mapping *out)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return fail(ERR_INTERNAL, "file-read", "%s: %s", path, strerror(errno));
	out->n = (size_t)st.st_size;
	out->at = mmap(NULL, out->n, protection, MAP_SHARED, fd, 0);
	if (out->at != MAP_FAILED)
		return OK;
	out->at = NULL;
	return fail(ERR_INTERNAL, "file-read", "%s: %s", path, strerror(errno));
}

enum err mapping_read(const char *path, size_t at_least, struct mapping *out)
{
	AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return fail(ERR_INTERNAL, "file-read", "%s: %s", path, strerror(errno));
	if ((size_t)st.st_size < at_least)
		return fail(ERR_INTERNAL, "file-read", "%s: only %lld bytes", path,
			(long long)st.st_size);
	return map(path, fd, PROT_READ, out);
}

static enum err write_failed(const char *path, int error)
{
	return fail(ERR_INTERNAL, "file-write", "%s: %s", path, strerror(error));
}

static enum err grow(const char *path, int flags, size_t at_least, struct mapping *out)
{
	AUTO(fd_close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | flags, 0644);
	int error = fd < 0 ? errno : posix_fallocate(fd, 0, (off_t)at_least);

	if (error != 0)
		return write_failed(path, error);
	return map(path, fd, PROT_READ | PROT_WRITE, out);
}

enum err mapping_keep(const char *path, size_t at_least, struct mapping *out)
{
	return grow(path, 0, at_least, out);
}

enum err mapping_make(const char *path, size_t n, struct mapping *out)
{
	return grow(path, O_TRUNC, n, out);
}

void mapping_free(struct mapping *mapping)
{
	if (mapping->at != NULL)
		munmap(mapping->at, mapping->n);
	mapping->at = NULL;
}
