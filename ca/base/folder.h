/* folder.h - what is in a directory, in the order of names. */
#pragma once

#include "ca/base/err.h"

#include <stddef.h>

struct folder_entry {
	char *name;
	char *path; /* the directory's, "/" and the name */
};

/* Its entries, but for those whose names begin with a dot. */
struct folder {
	struct folder_entry *entry;
	size_t n;
};

/* Reads the names; `out` is overwritten, and for folder_free() also after a failure. ERR_INTERNAL "file-read". */
CHECKED enum err folder_read(const char *dir, struct folder *out);
void folder_free(struct folder *folder); /* for AUTO; accepts zeroes */
