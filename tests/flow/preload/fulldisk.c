/* fulldisk.c - loaded into PostgreSQL: while ENDORSE_FULL names a file that is there, no file whose path
 * contains what that file says can grow. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* Into `text`, which is big enough for both; false: there is nothing. */
static bool read_line(const char *path, char text[256])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, 255);

	if (fd >= 0)
		close(fd);
	text[n < 0 ? 0 : n] = '\0';
	return n > 0;
}

static bool is_full(int fd, off_t end)
{
	int before = errno;
	const char *flag = getenv("ENDORSE_FULL");
	char part[256], link[64], path[256];
	struct stat st;
	bool full = false;
	ssize_t n;

	if (flag != NULL && read_line(flag, part) && fstat(fd, &st) == 0 && end > st.st_size) {
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		n = readlink(link, path, sizeof(path) - 1);
		path[n < 0 ? 0 : n] = '\0';
		full = strstr(path, part) != NULL;
	}
	errno = full ? ENOSPC : before;
	return full;
}

static off_t total(const struct iovec *iov, int n)
{
	off_t sum = 0;

	for (int i = 0; i < n; i++)
		sum += (off_t)iov[i].iov_len;
	return sum;
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	ssize_t (*next)(int, const void *, size_t, off_t) =
		(ssize_t(*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite");

	return is_full(fd, at + (off_t)n) ? -1 : next(fd, bytes, n, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at)
{
	return pwrite(fd, bytes, n, (off_t)at);
}

ssize_t pwritev(int fd, const struct iovec *iov, int n, off_t at)
{
	ssize_t (*next)(int, const struct iovec *, int, off_t) =
		(ssize_t(*)(int, const struct iovec *, int, off_t))dlsym(RTLD_NEXT, "pwritev");

	return is_full(fd, at + total(iov, n)) ? -1 : next(fd, iov, n, at);
}

ssize_t pwritev64(int fd, const struct iovec *iov, int n, off64_t at)
{
	return pwritev(fd, iov, n, (off_t)at);
}
