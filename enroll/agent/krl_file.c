#include "enroll/agent/krl_file.h"

#include "ca/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

void krl_file_free(struct krl_file *file)
{
	buf_free(&file->bytes);
}

enum err krl_file_read(const char *path, struct krl_file *out)
{
	struct stat st;
	enum err err;

	*out = (struct krl_file){.bytes = BUF(KRL_MAX)};
	err = file_read(path, &out->bytes);
	if (err == ERR_NOT_FOUND)
		return OK;
	TRY(err);
	if (out->bytes.n > 0 && !krl_begins(buf_view(&out->bytes)))
		return fail(ERR_INTERNAL, "krl-file",
			"%s: this is no KRL but somebody's own file, and stays as it is; say --out "
			"with another path, or move it away",
			path);
	out->is_good = krl_parse(buf_view(&out->bytes), &out->krl) == OK;
	out->is_public = stat(path, &st) == 0 && (st.st_mode & 0444) == 0444;
	return OK;
}

/* Of the directory: the file itself is another one after each replacement. */
static enum err lock(const char *path, int *fd)
{
	AUTO(mem_free) char *copy = strdup(path);

	if (copy == NULL)
		return fail(ERR_INTERNAL, "out-of-memory", "%s", path);
	*fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (*fd >= 0 && flock(*fd, LOCK_EX) != 0)
		if (errno != EINTR)
			return fail(ERR_INTERNAL, "file-write", "%s: %s", path, strerror(errno));
	if (*fd < 0)
		return fail(ERR_INTERNAL, "file-write", "the directory of %s: %s", path,
			strerror(errno));
	return OK;
}

enum err krl_file_replace(const char *path, struct view bytes, const struct krl *krl)
{
	AUTO(krl_file_free) struct krl_file there = {.is_good = false};
	AUTO(fd_close) int fd = -1;

	TRY(lock(path, &fd));
	TRY(krl_file_read(path, &there));
	if (there.is_good && there.krl.version > krl->version)
		return fail(ERR_DENIED, "krl-older",
			"the service's list has version %" PRIu64 ", and %s has %" PRIu64
			": somebody shows an old one, or the service was restored with a clock "
			"that is behind; to take it nevertheless, remove the file",
			krl->version, path, there.krl.version);
	return file_replace(path, 0644, bytes);
}
